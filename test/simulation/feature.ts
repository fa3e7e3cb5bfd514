// A part of the product that some seeds have in their account, and others do not.
import type { Dice } from "../kit/schedule.ts";
import type { AccountPart } from "./sim-account.ts";
import type { SimWorld } from "./sim-world.ts";

/** What somebody does, from its beginning to its end. `dice` are the move's own: what else happens does not change what it is. */
export type Move = (world: SimWorld, dice: Dice) => Promise<void>;

/** Moves, each with how often it comes beside the others. */
export type Moves = readonly (readonly [number, Move])[];

export interface Feature extends AccountPart {
  /** What part of the seeds has it: what costs much time is rarer. */
  readonly chance: number;
  readonly moves: Moves;
  /** What goes on by itself from the beginning. */
  readonly begins?: (world: SimWorld) => void;
  /** What people do when nothing goes wrong any more. */
  readonly ends?: (world: SimWorld) => void;
}
