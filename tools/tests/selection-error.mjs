/** What the command line can't mean; the message says what to write instead. */
export class SelectionError extends Error {}
