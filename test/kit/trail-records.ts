// Records of ActionTrail as the sheets of the service show them, for tests that read or change them.
export type Json = Record<string, unknown>;

/** When the sample's call was made. */
export const CALLED_AT = Date.UTC(2026, 10, 1, 8, 0, 0);

/** What the sample's call asked for: SSH from one address. */
export const sshFromOne: Readonly<Record<string, string>> = {
  "Permissions.1.IpProtocol": "TCP",
  "Permissions.1.PortRange": "22/22",
  "Permissions.1.SourceCidrIp": "203.0.113.7/32",
  "Permissions.1.Policy": "accept",
  "Permissions.1.Priority": "1",
  "Permissions.1.Description": "for alice",
};

/** A call of alice's on `sg-bp1` as an event's `data` tells it; fields that are given as undefined are left out. */
export function trailRecord(parameters: Json = sshFromOne, changes: Json = {}): Json {
  const asked = { RegionId: "cn-hangzhou", SecurityGroupId: "sg-bp1", ...parameters };
  const record = {
    eventId: "b7c1d2e3-0000-4000-8000-000000000001",
    eventVersion: 1,
    eventName: "AuthorizeSecurityGroup",
    eventType: "ApiCall",
    eventRW: "Write",
    eventCategory: "Management",
    eventSource: "ecs.cn-hangzhou.aliyuncs.com",
    serviceName: "Ecs",
    apiVersion: "2014-05-26",
    eventTime: "2026-11-01T08:00:00Z",
    acsRegion: "cn-hangzhou",
    isGlobal: false,
    requestId: "1A2B3C4D-0000-0000-0000-000000000000",
    recipientAccountId: "100000000000",
    sourceIpAddress: "203.0.113.7",
    userAgent: "AlibabaCloud (linux; x64) Node.js",
    userIdentity: {
      type: "ram-user",
      principalId: "2000000000000001",
      accountId: "100000000000",
      userName: "alice",
      accessKeyId: "LTAI5tExample",
    },
    requestParameters: Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)),
    referencedResources: { "ACS::ECS::SecurityGroup": ["sg-bp1"] },
    resourceType: "ACS::ECS::SecurityGroup",
    resourceName: "sg-bp1",
    ...changes,
  };
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** What makes a record name its group nowhere but in its parameters. */
export const withoutResources = { referencedResources: undefined, resourceType: undefined, resourceName: undefined };
