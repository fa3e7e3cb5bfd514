// Queues of messages that nobody reads here: where events end that no function took, and results of asynchronous invocations.

import { keepJson, keptJson } from "../../kept-json.ts";

/** One message. */
export interface QueueMessage {
  /** When it was sent, milliseconds since the epoch. */
  readonly at: number;
  readonly body: string;
}

const MESSAGES_MAX = 1_000;
const ARN = /^acs:mns:[^:]*:[^:]*:\/queues\/([A-Za-z0-9-]{1,120})\/messages?$/;

/** The name in the ARN of a queue; undefined when the text is none. */
export const queueIn = (arn: string): string | undefined => ARN.exec(arn)?.[1];

/** The queues of one account, each from its first message on. */
export class Queues {
  readonly #file: string | undefined;
  readonly #messages: Map<string, QueueMessage[]>;

  constructor(directory?: string) {
    this.#file = directory === undefined ? undefined : `${directory}/queues.json`;
    this.#messages = new Map(Object.entries(this.#file === undefined ? {} : keptJson(this.#file, {})));
  }

  send(queue: string, message: QueueMessage): void {
    const messages = [...(this.#messages.get(queue) ?? []), message];
    this.#messages.set(queue, messages.slice(-MESSAGES_MAX));
    this.#keep();
  }

  /** The last 1,000 messages of each queue, oldest first. */
  all(): Readonly<Record<string, readonly QueueMessage[]>> {
    return Object.fromEntries(this.#messages);
  }

  clear(): void {
    this.#messages.clear();
    this.#keep();
  }

  #keep(): void {
    if (this.#file !== undefined) keepJson(this.#file, this.all());
  }
}
