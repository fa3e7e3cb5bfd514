// `npm run recycling-year -- [--short] [--days n]`: half a year of labelled ports; prints what became of each label, precision and the share of unknown.
import { toolOptions, wholeNumber } from "../kit/tool-options.ts";
import { LABELS } from "./labels.ts";
import { HALF_YEAR, runYear, TWO_WEEKS, wrongOf } from "./run-year.ts";

const HELP = `Usage: npm run recycling-year -- [--short] [--days n]

Lets an account of ports of many kinds live for half a year of nights, and tells which of them recycling took away. Exits with 1 when
one that is used was, or when any went otherwise than it is meant to.

  --short     two weeks, with the periods of the policy as much shorter
  --days n    so many nights
`;

const { values } = toolOptions(HELP, { short: { type: "boolean", default: false }, days: { type: "string" } });
const base = values.short ? TWO_WEEKS : HALF_YEAR;
const days = values.days === undefined ? base.days : wholeNumber("--days", values.days, 1);

async function main(): Promise<void> {
  const startedAt = performance.now();
  const report = await runYear({ ...base, days, say: (line) => process.stderr.write(`${line}\n`) });
  const wrong = wrongOf(report);
  const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

  console.log("label       ports  kept  quarantined  deleted  meant");
  for (const [label, { hosts, fate }] of Object.entries(LABELS)) {
    const ports = report.ports.filter((port) => port.label === label);
    const count = (of: (port: (typeof ports)[number]) => boolean): string => String(ports.filter(of).length);
    const cells = [
      label.padEnd(11),
      String(hosts).padStart(5),
      count(({ stands }) => stands).padStart(5),
      count(({ wasQuarantined }) => wasQuarantined).padStart(12),
      count(({ state }) => state === "deleted").padStart(8),
      ` ${fate}`,
    ];
    console.log(cells.join(" "));
  }
  for (const { name, peer, first, again } of report.lateVisits)
    console.log(`late visitor ${peer} of ${name}: ${first}, then ${again} after one window and one tick`);
  const { used, idle, unknown } = report.last;
  console.log(`verdicts of the last night: ${used} used, ${idle} idle, ${unknown} unknown`);
  console.log(
    `precision ${percent(report.precision)}, idle ports gone ${percent(report.recall)}, unknown ${percent(report.unknown)}`,
  );
  console.log(`${days} days, ${report.ports.length} ports, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  for (const line of wrong) console.log(`WRONG: ${line}`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

void main();
