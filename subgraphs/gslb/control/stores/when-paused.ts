/** For transactions that lock members and checkers: a suspended process blocks others for this long. All of them are repeated. */
export const whenPaused = { idleSeconds: 2 } as const;
