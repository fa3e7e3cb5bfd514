// Which switches are read: what nobody reads has decided nothing.
import type { EcsSwitches } from "./switches.ts";

let tell: ((name: string) => void) | undefined;

/** Every ECS that is started from now on tells of each switch when it reads it. */
export const observeSwitchReads = (observer: (name: string) => void): void => {
  tell = observer;
};

/** The switches as a service is to read them. */
export const readable = (switches: EcsSwitches): EcsSwitches => {
  const observer = tell;
  if (observer === undefined) return switches;
  return new Proxy(switches, {
    get: (target, name, receiver) => {
      if (typeof name === "string") observer(name);
      return Reflect.get(target, name, receiver) as unknown;
    },
  });
};
