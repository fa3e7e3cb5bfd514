// `npm run model`: every state of the models, under all of the bad luck they have, and without each thing that keeps them safe.
import { type Exploration, explore } from "./explore.ts";
import { lockModel } from "./lock-model.ts";
import { LOCK_PLANTED, LUCK, PLANTED, PLANTED_DEEP, SUSPENSION_LUCK, SUSPENSION_PLANTED } from "./planted.ts";
import { protocol } from "./protocol.ts";
import { suspensionModel } from "./suspension-model.ts";

const wrong: string[] = [];

function tell(title: string, isBroken: boolean, run: () => Exploration): void {
  const startedAt = performance.now();
  const { states, transitions, broken } = run();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const outcome = broken === null ? "holds" : `broken after ${broken.trace.length} steps: ${broken.invariant}`;
  process.stdout.write(`${title}: ${states} states, ${transitions} transitions, ${seconds} s, ${outcome}\n`);
  if ((broken !== null) === isBroken) return;
  wrong.push(title);
  for (const step of broken?.trace ?? []) process.stdout.write(`  ${step}\n`);
}

tell("lock", false, () => explore(lockModel({ marginTicks: 2 })));
for (const terms of LOCK_PLANTED)
  tell(`lock, ${terms.without ? `without ${terms.without}` : `margin ${terms.marginTicks}`}`, true, () =>
    explore(lockModel(terms)),
  );
for (const luck of LUCK) tell(`lease, ${JSON.stringify(luck)}`, false, () => explore(protocol(luck)));
for (const [without, luck] of [...PLANTED, ...PLANTED_DEEP])
  tell(`lease, without ${without}`, true, () => explore(protocol({ ...luck, without })));
for (const terms of [...SUSPENSION_LUCK, ...SUSPENSION_PLANTED])
  tell(`suspension, ${JSON.stringify(terms)}`, terms.without !== undefined, () => explore(suspensionModel(terms)));
process.stdout.write(`${wrong.length} otherwise than they should be\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
