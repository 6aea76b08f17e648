/**
 * How many times longer than on a quiet machine a test may wait before it fails: CI machines are slow and share their processors. No
 * test takes longer for it unless it fails.
 */
export const patience = process.env['CI'] === undefined ? 1 : 5;
