// Requests of one kind under way at one place, in total and per user.

/** Share of the room that is reserved for other users, regardless of one user's demand. */
const leftToOthers = 0.25;

export class UnderWay {
  readonly #most: number;
  readonly #mostOfUser: number;
  readonly #ofUser = new Map<string, number>();
  #count = 0;

  constructor(most: number) {
    this.#most = most;
    this.#mostOfUser = Math.max(1, most - Math.ceil(most * leftToOthers));
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count >= this.#most;
  }

  /** `user`: undefined for a caller without a limit. */
  hasRoomFor(user: string | undefined): boolean {
    return !this.isFull && (user === undefined || (this.#ofUser.get(user) ?? 0) < this.#mostOfUser);
  }

  add(user: string | undefined): void {
    this.#count += 1;
    if (user !== undefined) this.#ofUser.set(user, (this.#ofUser.get(user) ?? 0) + 1);
  }

  remove(user: string | undefined): void {
    this.#count -= 1;
    if (user === undefined) return;
    const left = (this.#ofUser.get(user) ?? 0) - 1;
    if (left > 0) this.#ofUser.set(user, left);
    else this.#ofUser.delete(user);
  }
}
