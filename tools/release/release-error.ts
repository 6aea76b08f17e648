// A reason why there is no release, for the person who asked for it. Any other error is a bug.
export class ReleaseError extends Error {}
