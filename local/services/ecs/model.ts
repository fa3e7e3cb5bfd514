// The nouns of the embedded ECS as plain readonly data: groups, rules, lists, network interfaces, instances.

/** Which way a rule looks. */
export type EcsDirection = "ingress" | "egress";
/** What a rule does with the traffic it matches. */
export type EcsPolicy = "Accept" | "Drop";

/** One rule as the service stores it: every text field is present, unused ones are empty. */
export interface EcsRule {
  readonly ruleId: string;
  readonly direction: EcsDirection;
  readonly policy: EcsPolicy;
  /** 1 is the strongest. Up to 100 through the API; legacy default rules carry 110. */
  readonly priority: number;
  /** Upper case: TCP, UDP, ICMP, ICMPv6, GRE, ALL. */
  readonly ipProtocol: string;
  /** `22/22`, or `-1/-1` for protocols without ports. */
  readonly portRange: string;
  readonly sourcePortRange: string;
  /** IPv4 address or CIDR as stored; see the switch `ipv4Stored`. */
  readonly sourceCidrIp: string;
  readonly ipv6SourceCidrIp: string;
  readonly sourceGroupId: string;
  readonly sourceGroupOwnerAccount: string;
  readonly sourcePrefixListId: string;
  /** For ingress rules the quintuple extra: the private address of one member. */
  readonly destCidrIp: string;
  readonly ipv6DestCidrIp: string;
  readonly destGroupId: string;
  readonly destGroupOwnerAccount: string;
  readonly destPrefixListId: string;
  readonly portRangeListId: string;
  readonly nicType: "intranet" | "internet";
  readonly description: string;
  /** UTC, seconds, `2026-11-20T07:28:38Z`. */
  readonly createTime: string;
}

/** One security group with its rules, in the order they were added. */
export interface EcsGroup {
  readonly regionId: string;
  readonly groupId: string;
  readonly name: string;
  readonly description: string;
  readonly type: "normal" | "enterprise";
  readonly innerAccessPolicy: EcsPolicy;
  readonly vpcId: string;
  readonly serviceManaged: boolean;
  readonly tags: Readonly<Record<string, string>>;
  readonly creationTime: string;
  readonly rules: readonly EcsRule[];
}

/** A list that rules name instead of an address (prefix list) or of ports (port list). */
export interface EcsList {
  readonly regionId: string;
  readonly listId: string;
  readonly kind: "prefix" | "port-range";
  readonly name: string;
  readonly description: string;
  /** Empty for port lists. */
  readonly addressFamily: "IPv4" | "IPv6" | "";
  /** What a rule that names the list counts for in the quota of rules. */
  readonly maxEntries: number;
  /** CIDR blocks, or port ranges, as sent. */
  readonly entries: readonly { readonly value: string; readonly description: string }[];
  readonly tags: Readonly<Record<string, string>>;
  readonly creationTime: string;
}

/** One elastic network interface. Those of a load balancer have an empty `instanceId`. */
export interface EcsEni {
  readonly regionId: string;
  readonly eniId: string;
  readonly instanceId: string;
  readonly type: string;
  readonly primary: boolean;
  readonly privateIp: string;
  readonly ipv6: readonly string[];
  readonly groupIds: readonly string[];
  readonly serviceManaged: boolean;
  readonly vpcId: string;
}

/** One instance. `listening` are the TCP ports its programs serve; the data plane binds them. */
export interface EcsInstance {
  readonly instanceId: string;
  readonly name: string;
  readonly regionId: string;
  readonly status: "Running" | "Stopped";
  readonly eniIds: readonly string[];
  readonly listening: readonly number[];
  /** UDP ports, likewise. */
  readonly listeningUdp?: readonly number[];
}
