// What the owner of the account allows, as values. Text, defaults and checks are in `shared/config/policy-schema.ts`.

/** The policy in force. Durations in milliseconds. */
export interface Policy {
  /** Version of the stored row, 1 for the first. */
  readonly version: number;
  readonly regions: readonly string[];
  /** Where a lease goes that names neither group nor instance: a group's name or id. */
  readonly defaultTarget: string | null;
  readonly lease: {
    readonly periodMinMs: number;
    readonly periodMaxMs: number;
    readonly totalMaxMs: number;
    /** Priority of the rules leases write; 100 never overrides a customer's drop. */
    readonly priority: number;
    readonly sensitivePorts: readonly number[];
    /** Shortest prefix a source set may have where the grant covers a sensitive port. */
    readonly sourceWidthMax: { readonly v4: number; readonly v6: number };
    /** `use`: narrow to an instance with the rule's destination address; `never`: the cloud does not honour it here. */
    readonly destCidrIp: "use" | "never";
  };
  readonly groups: { readonly denied: readonly string[] };
  readonly limits: {
    /** Rules over all groups of one interface, and how many of them leases leave free. */
    readonly rulesPerInterface: number;
    readonly rulesKeptFree: number;
    readonly changesPerPass: number;
  };
  /** Addresses whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
}
