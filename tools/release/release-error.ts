// A reason why there is no release, for the person who requested it. Any other error is a bug.
export class ReleaseError extends Error {}
