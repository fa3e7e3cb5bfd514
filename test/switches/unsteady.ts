// Which failed test files are worth a second run. Stories and conformance run real processes, sockets and clocks, which a busy machine
// can make late; what is only computed fails for good and is never run twice.
import { readFileSync } from "node:fs";

const FILES_MAX = 3;

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The failed files of a JSON report of the test runner when they are few and all of that kind, else none; says what had failed. */
export function unsteadyFiles(report: string): readonly string[] {
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as Report;
  const failed = testResults.filter(({ status }) => status === "failed");
  const names = failed.map(({ name }) => name.replace(`${process.cwd()}/`, ""));
  const areReal = names.every((name) => /^test\/(story|conformance)\//.test(name));
  for (const { assertionResults } of failed)
    for (const { status, fullName, failureMessages } of assertionResults)
      if (status === "failed")
        console.error(`   failed at first: ${fullName}\n   ${(failureMessages[0] ?? "").slice(0, 600)}`);
  return names.length <= FILES_MAX && areReal ? names : [];
}

const [, script, report] = process.argv;
if (script?.endsWith("unsteady.ts") && report !== undefined) console.log(unsteadyFiles(report).join(" "));
