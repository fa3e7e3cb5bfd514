// A mutant is dead with the first counterexample; nobody reads the smallest one.
import * as fc from "fast-check";

fc.configureGlobal({ endOnFailure: true });
