// Every checker, in the order of the invariants.
import type { Checker } from "./checker.ts";
import { converges } from "./converges.ts";
import { deniedStaysShut } from "./denied-stays-shut.ts";
import { endsInTime } from "./ends-in-time.ts";
import { grantsStay } from "./grants-stay.ts";
import { holdsItsLock } from "./holds-its-lock.ts";
import { intentAndRecord } from "./intent-and-record.ts";
import { keepsToItsMoves } from "./keeps-to-its-moves.ts";
import { lockdownCloses } from "./lockdown-closes.ts";
import { lockdownLeavesNothing } from "./lockdown-leaves-nothing.ts";
import { neverWider } from "./never-wider.ts";
import { noRawErrors } from "./no-raw-errors.ts";
import { openMeansOpen } from "./open-means-open.ts";
import { operatorsComeIn } from "./operators-come-in.ts";
import { recyclingHarmsNobody } from "./recycling-harms-nobody.ts";
import { removesOnlyItsOwn } from "./removes-only-its-own.ts";
import { restoresWhatWasGranted } from "./restores-what-was-granted.ts";
import { secondPerson } from "./second-person.ts";
import { sharedRulesStay } from "./shared-rules-stay.ts";
import { trailIsWhole } from "./trail-is-whole.ts";
import { trustedAreHeard } from "./trusted-are-heard.ts";

export const checkers: readonly Checker[] = [
  endsInTime,
  removesOnlyItsOwn,
  neverWider,
  openMeansOpen,
  intentAndRecord,
  converges,
  sharedRulesStay,
  holdsItsLock,
  noRawErrors,
  keepsToItsMoves,
  restoresWhatWasGranted,
  grantsStay,
  secondPerson,
  deniedStaysShut,
  lockdownCloses,
  lockdownLeavesNothing,
  operatorsComeIn,
  recyclingHarmsNobody,
  trailIsWhole,
  trustedAreHeard,
];
