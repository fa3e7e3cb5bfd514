// The reading of an open question that a whole run of tests is made under, from the environment.
import { type EcsSwitches, otherReadings } from "../../local/services/ecs/switches.ts";

/** `SAFEPORT_TEST_SWITCH` is `name=json`, as `npm run test:switches` sets it; absent: every default. */
export const switchUnderTest = (): Partial<EcsSwitches> => {
  const text = process.env["SAFEPORT_TEST_SWITCH"] ?? "";
  if (text === "") return {};
  const [, name = "", value = ""] = /^(\w+)=(.*)$/s.exec(text) ?? [];
  if (!(name in otherReadings)) throw new Error(`SAFEPORT_TEST_SWITCH names no switch: ${text}`);
  return { [name]: JSON.parse(value) } as Partial<EcsSwitches>;
};

/** False where a rule cannot be narrowed to one host: nothing opens on an instance whose group has other members then. */
export const takesDestination = !["dropped", "refused"].includes(switchUnderTest().destCidrIp ?? "");

/** Whether a changed rule keeps its id. */
export const keepsId = (switchUnderTest().modifiedRule ?? "same-id") === "same-id";

/** A cloud on which the probe of prefix lists passes: on others lockdowns by lists cannot be switched on, and nothing of them happens. */
export const listsProbed: Partial<EcsSwitches> = { emptyPrefixList: "allowed" };
