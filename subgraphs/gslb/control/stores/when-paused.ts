/** For transactions that lock members and checkers: a process that stands still in one keeps others from them for so long. All are done again. */
export const whenPaused = { idleSeconds: 2 } as const;
