// What a full pass is measured against: an ECS that lists and shows groups and computes next to nothing. The argument is JSON with
// `groups`, `rules` of each, and the `guard` their tags ask for, if any; prints its address. `GET /calls` tells how often each operation was asked for.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

interface Order {
  readonly groups: number;
  readonly rules: number;
  readonly guard: string | null;
}

const order = JSON.parse(process.argv[2] ?? "{}") as Order;
const PAGE = 100;
/** Groups differ in their rules' addresses and ids; so many kinds are prepared. */
const KINDS = 16;
const DESCRIPTIONS = [
  "",
  "office",
  "办公网出口 (北京)",
  "created by terraform",
  'DTS/DMS "sync" task 42, keep until the migration is over',
];

/** A rule with every field that `DescribeSecurityGroupAttribute` is documented to answer. */
function rule(kind: number, index: number): Record<string, unknown> {
  const isOpen = index % 7 === 0;
  const port = 1000 + index * 13;
  return {
    SecurityGroupRuleId: `sgr-bp1${`${kind * 1000 + index}`.padStart(17, "0")}`,
    Direction: index % 10 === 9 ? "egress" : "ingress",
    Policy: "Accept",
    Priority: index % 3 === 0 ? "1" : "100",
    IpProtocol: index % 5 === 4 ? "UDP" : "TCP",
    PortRange: `${port}/${port + (index % 2)}`,
    SourcePortRange: "",
    SourceCidrIp: index % 10 === 9 ? "" : isOpen ? "0.0.0.0/0" : `10.${kind}.${index}.0/24`,
    Ipv6SourceCidrIp: "",
    SourceGroupId: "",
    SourceGroupName: "",
    SourceGroupOwnerAccount: "",
    SourcePrefixListId: "",
    SourcePrefixListName: "",
    DestCidrIp: index % 10 === 9 ? "198.51.100.0/24" : "",
    Ipv6DestCidrIp: "",
    DestGroupId: "",
    DestGroupName: "",
    DestGroupOwnerAccount: "",
    DestPrefixListId: "",
    DestPrefixListName: "",
    PortRangeListId: "",
    PortRangeListName: "",
    NicType: "intranet",
    Description: DESCRIPTIONS[index % DESCRIPTIONS.length],
    CreateTime: "2026-03-14T02:20:00Z",
  };
}

const permissions = Array.from({ length: KINDS }, (_, kind) =>
  JSON.stringify(Array.from({ length: order.rules }, (__, index) => rule(kind, index))),
);
const idOf = (index: number): string => `sg-bp1${`${index}`.padStart(17, "0")}`;

function list(token: string): string {
  const from = Number(token || 0);
  const to = Math.min(from + PAGE, order.groups);
  const groups = Array.from({ length: to - from }, (_, offset) => ({
    SecurityGroupId: idOf(from + offset),
    SecurityGroupName: `bench-${from + offset}`,
    Description: "",
    SecurityGroupType: "normal",
    VpcId: "vpc-bench",
    CreationTime: "2026-01-02T03:04:05Z",
    EcsCount: 3,
    AvailableInstanceAmount: 1997,
    ResourceGroupId: "",
    ServiceManaged: false,
    RuleCount: order.rules,
    GroupToGroupRuleCount: 0,
    Tags: { Tag: order.guard === null ? [] : [{ TagKey: "safeport:guard", TagValue: order.guard }] },
  }));
  const next = to < order.groups ? `${to}` : "";
  return JSON.stringify({
    RequestId: requestId(),
    RegionId: "cn-hangzhou",
    NextToken: next,
    SecurityGroups: { SecurityGroup: groups },
  });
}

function show(groupId: string): string {
  const index = Number(groupId.slice(-10));
  return `{"RequestId":"${requestId()}","RegionId":"cn-hangzhou","SecurityGroupId":"${groupId}","SecurityGroupName":"bench-${index}","Description":"","VpcId":"vpc-bench","InnerAccessPolicy":"Accept","NextToken":"","Permissions":{"Permission":${permissions[index % KINDS]}}}`;
}

let asked = 0;
const requestId = (): string => `473469C7-AA6F-4DC5-B3DB-${`${asked}`.padStart(12, "0")}`;
const calls: Record<string, number> = {};

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    if (request.url === "/calls") {
      response.end(JSON.stringify(calls));
      return;
    }
    asked += 1;
    const action = String(request.headers["x-acs-action"]);
    calls[action] = (calls[action] ?? 0) + 1;
    const query = new URLSearchParams((request.url ?? "").split("?")[1] ?? "");
    const text =
      action === "DescribeSecurityGroups"
        ? list(query.get("NextToken") ?? "")
        : action === "DescribeSecurityGroupAttribute"
          ? show(query.get("SecurityGroupId") ?? "")
          : null;
    const body = Buffer.from(text ?? '{"Code":"InvalidAction.NotFound","Message":"not served"}');
    response.writeHead(text === null ? 404 : 200, {
      "content-type": "application/json;charset=utf-8",
      "content-length": body.length,
      date: new Date().toUTCString(),
    });
    response.end(body);
  });
});
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
