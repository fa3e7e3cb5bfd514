// Who may do what: the permissions of the API, each with the roles that have it. The only table of its kind.

/** What a token or an identity of the company is good for. */
export type Role = "requester" | "approver" | "operator" | "auditor" | "admin";

/** Every role, as names. */
export const ROLES: readonly Role[] = ["requester", "approver", "operator", "auditor", "admin"];

const asking = ["requester", "operator", "admin"] as const;
const reading = ["approver", "operator", "auditor", "admin"] as const;
const approving = ["approver", "operator", "admin"] as const;
const operating = ["operator", "admin"] as const;
const governing = ["admin"] as const;

/**
 * Each permission with the roles that have it. A route names one of them; what a caller may do with somebody else's leases or
 * tokens is a permission of its own (`…:any`).
 */
export const permissions = {
  /** Without a token: a link in a message, which is signed for the person it was sent to. */
  public: ROLES,
  "api:read": ROLES,
  "health:read": ROLES,
  "lease:open": asking,
  "lease:extend": asking,
  "lease:end": asking,
  "lease:read": ROLES,
  "lease:read:any": reading,
  "lease:change:any": operating,
  /** Owners and stand-ins named in the ledger decide without `lease:decide:any`: who may is settled where the lease is known. */
  "lease:decide": ["requester", "approver", "operator", "admin"],
  "lease:decide:any": ["approver", "admin"],
  "lease:justify": asking,
  "sweep:run": operating,
  "group:read": ROLES,
  "group:guard": governing,
  "baseline:read": reading,
  "baseline:confirm": governing,
  "ledger:read": reading,
  "ledger:write": operating,
  "drift:read": reading,
  "drift:decide": operating,
  "recycling:read": reading,
  "recycling:decide": operating,
  "recycling:approve": approving,
  "recycling:run": operating,
  "record:read": reading,
  /** The whole trail, as it is stored. */
  "record:export": ["auditor", "admin"],
  "audit:read": reading,
  "audit:run": ["operator", "auditor", "admin"],
  "policy:read": reading,
  "policy:change": governing,
  /** One's own tokens; everybody's take `token:manage`. */
  "token:read": ROLES,
  "token:manage": governing,
  "lockdown:read": reading,
  "lockdown:change": operating,
  "mode:read": ROLES,
  "mode:set": operating,
} as const satisfies Readonly<Record<string, readonly Role[]>>;

/** The name of a permission, `noun:verb`. */
export type Permission = keyof typeof permissions;

/** The roles that have a permission. */
export const rolesWith = (permission: Permission): readonly Role[] => permissions[permission];

/** True when one of the roles has the permission. */
export const isPermitted = (roles: readonly Role[], permission: Permission): boolean =>
  roles.some((role) => rolesWith(permission).includes(role));
