// Makes the reading of this run the default of every embedded ECS that a test starts, and that starts again.
import { defaultSwitches } from "../../local/services/ecs/switches.ts";
import { switchUnderTest } from "../kit/switch-under-test.ts";

Object.assign(defaultSwitches, switchUnderTest());
