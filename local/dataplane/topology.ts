// What the data plane needs to know of the simulated account: groups with their rules, network interfaces, instances.

/** One rule of a group. Fields that are absent or empty do not restrict the match. */
export interface Rule {
  readonly ruleId: string;
  readonly direction: string;
  /** `Accept` or `Drop`, in any case. Anything else counts as `Drop`. */
  readonly policy: string;
  /** 1..100; the lower number is stronger. */
  readonly priority: number;
  /** `TCP`, `UDP`, `ICMP`, `ICMPv6`, `GRE` or `ALL`, in any case. */
  readonly ipProtocol: string;
  /** `22/22`, or `-1/-1` for every port. Read for TCP and UDP alone. */
  readonly portRange?: string | undefined;
  readonly sourcePortRange?: string | undefined;
  /** Read when the rule has no port range of its own. A list that is not there matches nothing. */
  readonly portRangeListId?: string | undefined;
  readonly sourceCidrIp?: string | undefined;
  readonly ipv6SourceCidrIp?: string | undefined;
  readonly sourceGroupId?: string | undefined;
  readonly sourcePrefixListId?: string | undefined;
  readonly destCidrIp?: string | undefined;
  readonly ipv6DestCidrIp?: string | undefined;
  readonly destGroupId?: string | undefined;
  readonly destPrefixListId?: string | undefined;
}

/** A security group. */
export interface Group {
  readonly groupId: string;
  readonly type: string;
  /** `Accept` lets members of a basic group reach each other whatever the rules say; no effect in enterprise groups. */
  readonly innerAccessPolicy: string;
  readonly rules: readonly Rule[];
}

/** An elastic network interface: the thing that rules apply to. */
export interface Eni {
  readonly eniId: string;
  readonly instanceId?: string | undefined;
  readonly privateIp: string;
  readonly ipv6?: readonly string[] | undefined;
  readonly groupIds: readonly string[];
}

/** An instance and the ports it serves on the addresses of its interfaces. */
export interface Instance {
  readonly instanceId: string;
  readonly name: string;
  readonly eniIds: readonly string[];
  /** TCP ports. */
  readonly listening: readonly number[];
  readonly listeningUdp?: readonly number[] | undefined;
  /** A `Stopped` instance serves nothing. */
  readonly status?: string | undefined;
}

/** A prefix list that rules may name as their source or destination. */
export interface PrefixList {
  readonly prefixListId: string;
  readonly entries: readonly string[];
}

/** A port list that TCP and UDP rules may name instead of a range. */
export interface PortRangeList {
  readonly portRangeListId: string;
  /** `22/22` and the like. */
  readonly entries: readonly string[];
}

/** Everything the data plane enforces, as one value. */
export interface Topology {
  readonly groups: readonly Group[];
  readonly enis: readonly Eni[];
  readonly instances: readonly Instance[];
  readonly prefixLists?: readonly PrefixList[] | undefined;
  readonly portRangeLists?: readonly PortRangeList[] | undefined;
}

/** Protocols a packet can have. */
export type PacketProtocol = "TCP" | "UDP" | "ICMP" | "ICMPv6" | "GRE";

/** The first packet of a new session. Ports are read for TCP and UDP alone. */
export interface Packet {
  readonly sourceAddress: string;
  readonly destAddress: string;
  readonly protocol: PacketProtocol;
  readonly sourcePort?: number | undefined;
  readonly destPort?: number | undefined;
}
