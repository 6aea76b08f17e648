// A step that could not be done, in words for the person who typed the command; anything else that is thrown is a bug.

export class BootError extends Error {}
