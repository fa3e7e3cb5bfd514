// What has to be known of a group before a rule opens in it, and what refuses it.
import { expect, it } from "vitest";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { Member } from "../../../shared/ports/firewall.ts";
import { actsOnlyOn, membersOf } from "../../../shared/usecases/group/open-facts.ts";
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

it("what is known of some members is enough for a rule that is narrowed to one of them, and whose groups are known", () => {
  const groupIds = ["sg-web" as GroupId];
  const known = [
    { ...member("eni-1", "10.0.0.1", ["2001:db8:0::1"]), groupIds },
    { ...member("eni-2", "10.0.0.2"), groupIds },
    // ECS lists the groups of a primary interface only.
    member("eni-3", "10.0.0.3"),
  ];
  const isEnough = (dest: string | null, of: readonly Member[] = known) =>
    actsOnlyOn(of, aSpec({ dest: dest === null ? null : aCidr(dest) }));
  expect(["10.0.0.1/32", "10.0.0.2/32", "2001:db8::1/128"].map((dest) => isEnough(dest))).toEqual([true, true, true]);
  expect(["10.0.0.3/32", "10.0.0.4/32", "10.0.0.0/24", null].map((dest) => isEnough(dest))).toEqual(
    Array(4).fill(false),
  );
  expect(isEnough("10.0.0.1/32", [])).toBe(false);
});
