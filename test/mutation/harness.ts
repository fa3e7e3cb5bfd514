// Stands for vitest where a file is mutated: what the tests call, and nothing else. It collects them; in-process.ts runs them, a thousand
// times in one process.
import { chai, JestAsymmetricMatchers, JestChaiExpect } from "@vitest/expect";

type Run = (...args: unknown[]) => unknown;

/** One test, with what goes before and after it. */
interface Case {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** What was collected while the test files were read, in their order. */
export const cases: Case[] = [];

interface Hooks {
  readonly before: Run[];
  readonly after: Run[];
}

/** The hooks of the file and of each `describe` around what is being read. */
let hooks: Hooks = { before: [], after: [] };
let path = "";

export const beforeEach = (run: Run): number => hooks.before.push(run);
export const afterEach = (run: Run): number => hooks.after.unshift(run);

/** The hooks of `read` are its own. */
function within(name: string, read: Run, args: readonly unknown[]): void {
  const outside = { hooks, path };
  hooks = { before: [...hooks.before], after: [...hooks.after] };
  path = `${path}${name} `;
  read(...args);
  ({ hooks, path } = outside);
}

function collect(name: string, body: Run, args: readonly unknown[]): void {
  const own = hooks;
  cases.push({
    name: `${path}${name}`,
    run: async () => {
      try {
        for (const before of own.before) await before();
        await body(...args);
      } finally {
        for (const after of own.after) await after();
      }
    },
  });
}

type Declare = (name: string, body: Run, args: readonly unknown[]) => void;

const declaring = (declare: Declare) =>
  Object.assign((name: string, body: Run) => declare(name, body, []), {
    each: (rows: readonly unknown[]) => (name: string, body: Run) => {
      for (const row of rows) declare(name, body, Array.isArray(row) ? row : [row]);
    },
  });

export const describe = declaring(within);
export const test = declaring(collect);
export { test as it };

chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = Object.assign((value: unknown, message?: string) => chai.expect(value, message), chai.expect);
