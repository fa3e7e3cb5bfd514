// What a checker is: it watches the cloud from outside and says when an invariant of the program is broken.
import type { SimWorld } from "../sim-world.ts";

export interface Checker {
  /** As violations name it. */
  readonly name: string;
  /** Puts its eyes on the world; called once, before anything happens. */
  watch(world: SimWorld): void;
  /** Looks once more when all is over and quiet. */
  atEnd?(world: SimWorld): Promise<void>;
}
