// Types of help.mjs, for the program that is built.

export function answerOptions(): void;
