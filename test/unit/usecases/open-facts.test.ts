// What has to be known of a group before a rule opens in it, and what refuses it.
import { expect, it } from "vitest";
import type { Member } from "../../../shared/ports/firewall.ts";
import { membersOf } from "../../../shared/usecases/group/open-facts.ts";
import { aCidr, aSpec } from "../../kit/rules.ts";

const member = (eniId: string, address: string, ipv6: readonly string[] = []): Member => ({
  ...{ eniId, instanceId: null, instanceName: null, address, ipv6, groupIds: [], serviceManaged: false },
});

it("a rule acts on every member, or on those with an address that it is narrowed to", () => {
  const members = [
    member("eni-1", "10.0.0.1", ["2001:db8:0::1"]),
    member("eni-2", "10.0.0.2"),
    member("eni-3", "10.0.1.1"),
  ];
  const reached = (dest: string | null) =>
    membersOf(members, aSpec({ dest: dest === null ? null : aCidr(dest) })).map(({ eniId }) => eniId);
  expect(reached(null)).toEqual(["eni-1", "eni-2", "eni-3"]);
  expect(reached("10.0.0.2/32")).toEqual(["eni-2"]);
  expect(reached("10.0.0.0/24")).toEqual(["eni-1", "eni-2"]);
  expect(reached("2001:db8::1/128")).toEqual(["eni-1"]);
  expect(reached("10.0.0.9/32")).toEqual([]);
});
