// A step that failed, with a message for the person who typed the command. Any other error is a bug.

export class BootError extends Error {}
