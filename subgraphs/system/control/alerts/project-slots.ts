// Number of attempts to deliver alerts for each project in this process. It keeps silent receivers from delaying other projects.

/** Limit for one project, out of all attempts of a process. */
const mostOfProject = 4;

export class ProjectSlots {
  readonly #taken = new Map<string, number>();

  /** `scope`: see `scopeOf`. Returns false if the project already has all its slots. */
  take(scope: string): boolean {
    const taken = this.#taken.get(scope) ?? 0;
    if (taken >= mostOfProject) return false;
    this.#taken.set(scope, taken + 1);
    return true;
  }

  give(scope: string): void {
    const left = (this.#taken.get(scope) ?? 0) - 1;
    if (left > 0) this.#taken.set(scope, left);
    else this.#taken.delete(scope);
  }
}
