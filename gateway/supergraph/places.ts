// Chooses which of the processes that serve a subgraph gets the next request, and limits how many queries and how many mutations each has at a time:
// slow queries delay no mutation, and no other user. A failed place is probed before it is used again, and has to answer a query before it gets
// mutations, because a query can be repeated elsewhere.
import { UnderWay } from './under-way.ts';
import { type Served, WaitingLines } from './waiting-lines.ts';

type State = 'proven' | 'unproven' | 'failed';

interface Standing<Place> {
  readonly place: Place;
  /** `unproven`: it has answered no request since the start or its failure, or its last answer reported that it is unavailable. */
  state: State;
  readonly queries: UnderWay;
  readonly mutations: UnderWay;
  /** Consecutive failures. */
  failures: number;
  restsUntilMs: number;
  isProbed: boolean;
}

interface PlacesOptions<Place> {
  readonly places: readonly [Place, ...Place[]];
  /** Limit of queries under way at one place. Further ones wait. */
  readonly queriesAtOnce: number;
  readonly mutationsAtOnce: number;
  /** One place is used until it fails, then the next. Default: the one with the fewest requests under way. */
  readonly oneAtATime?: boolean;
  /** Whether the process there answers at all. Never rejects. */
  readonly probe: (place: Place) => Promise<boolean>;
  /** Monotonic. */
  readonly nowMs?: () => number;
}

interface Kind {
  readonly mutation: boolean;
  /** The sender: one user gets only a part of a place. Undefined for no particular user. */
  readonly user?: string;
}

interface Wish<Place> extends Kind {
  /** Places to skip. */
  readonly tried?: ReadonlySet<Place>;
}

interface Waiting<Place> {
  readonly wish: Wish<Place>;
  readonly given: (place: Place) => void;
}

const firstRestMs = 1_000;
const longestRestMs = 8_000;

export class Places<Place> {
  readonly all: readonly Place[];
  readonly #options: PlacesOptions<Place>;
  readonly #standings: readonly Standing<Place>[];
  readonly #waiting = {
    queries: new WaitingLines<Waiting<Place>>(),
    mutations: new WaitingLines<Waiting<Place>>(),
  };
  readonly #nowMs: () => number;
  /** The search for a place begins here. */
  #at = 0;

  constructor(options: PlacesOptions<Place>) {
    const { places, queriesAtOnce, mutationsAtOnce } = options;
    const fresh = { state: 'unproven', failures: 0, restsUntilMs: 0, isProbed: false } as const;
    this.all = places;
    this.#options = options;
    this.#standings = places.map(
      (place): Standing<Place> => ({
        ...{ place, ...fresh },
        ...{ queries: new UnderWay(queriesAtOnce), mutations: new UnderWay(mutationsAtOnce) },
      }),
    );
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Takes the best place with room, or waits for one. The caller gives it back. Rejects with the signal's reason. */
  async take(wish: Wish<Place>, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    const chosen = this.#choose(wish);
    return this.#isTaken(chosen, wish) ? chosen.place : this.#wait(wish, signal);
  }

  /** `kind`: the same as when it was taken. */
  give(place: Place, kind: Kind): void {
    this.#of(place)[nameOf(kind)].remove(kind.user);
    this.#serve();
  }

  /** The best place for a lasting connection, which counts as no request. */
  best(): Place {
    return this.#choose({ mutation: true }).place;
  }

  /** It has answered a request. */
  answered(place: Place): void {
    const standing = this.#of(place);
    standing.failures = 0;
    if (standing.state === 'proven') return;
    standing.state = 'proven';
    this.#serve();
  }

  /**
   * It has answered that it is unavailable. Other places are preferred until it has answered a query, of which it gets one after a while. Ignored if
   * places are used one at a time, because the next one would do no better at once.
   */
  ailing(place: Place): void {
    const standing = this.#of(place);
    if (this.#options.oneAtATime === true || this.all.length === 1 || standing.state === 'failed') return;
    // Requests under way are answered together.
    if (standing.state === 'unproven' && standing.restsUntilMs > this.#nowMs()) return;
    standing.state = 'unproven';
    this.#rest(standing);
    this.#serve();
  }

  /** It can't answer, and is not used until a probe succeeds. */
  failed(place: Place): void {
    const standing = this.#of(place);
    // Requests under way fail together.
    if (standing.state === 'failed') return;
    standing.state = 'failed';
    this.#rest(standing);
    const index = this.#standings.indexOf(standing);
    if (index === this.#at) this.#at = this.#after(index);
    this.#serve();
  }

  /** It was too slow with one request. It has failed only if it does not answer a probe. */
  doubt(place: Place): void {
    if (this.all.length === 1) return;
    void this.#probe(this.#of(place), (answers) => {
      if (!answers) this.failed(place);
    });
  }

  #isTaken(chosen: Standing<Place>, { mutation, user }: Kind): boolean {
    const underWay = chosen[nameOf({ mutation })];
    if (!underWay.hasRoomFor(user)) return false;
    underWay.add(user);
    return true;
  }

  #wait(wish: Wish<Place>, signal: AbortSignal): Promise<Place> {
    const lines = this.#waiting[nameOf(wish)];
    const user = wish.user ?? '';
    return new Promise((resolve, reject) => {
      const aborted = () => {
        lines.delete(user, waiting);
        reject(signal.reason);
      };
      const given = (place: Place) => {
        signal.removeEventListener('abort', aborted);
        resolve(place);
      };
      const waiting = { wish, given };
      lines.add(user, waiting);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }

  /** Serves waiting requests as far as there is room. */
  #serve(): void {
    const give = ({ wish, given }: Waiting<Place>): Served => {
      const chosen = this.#choose(wish);
      if (!this.#isTaken(chosen, wish))
        return chosen[nameOf(wish)].isFull && wish.tried === undefined ? 'no room' : 'not yet';
      given(chosen.place);
      return 'served';
    };
    for (const lines of [this.#waiting.queries, this.#waiting.mutations]) while (lines.serve(give));
  }

  /** May have no room for the user. If it is full, all equally good places are full. */
  #choose(wish: Wish<Place>): Standing<Place> {
    const { mutation, tried } = wish;
    const [only] = this.#standings;
    if (only !== undefined && this.#standings.length === 1) return only;
    this.#probeRested();
    const ring = [...this.#standings.slice(this.#at), ...this.#standings.slice(0, this.#at)];
    const left = ring.filter(({ place }) => tried?.has(place) !== true);
    const are = (state: State) => left.filter((each) => each.state === state);
    const [proven, unproven] = [are('proven'), are('unproven')];
    const isTrial = this.#options.oneAtATime !== true && !mutation && tried === undefined && proven.length > 0;
    const nowMs = this.#nowMs();
    const onTrial = isTrial ? unproven.find((each) => underWay(each) === 0 && each.restsUntilMs <= nowMs) : undefined;
    const usable = [proven, unproven, left].find(({ length }) => length > 0) ?? ring;
    return this.#turnTo(onTrial ?? this.#leastOf(usable, wish));
  }

  #leastOf(usable: readonly Standing<Place>[], kind: Kind): Standing<Place> {
    const [first] = usable as readonly [Standing<Place>, ...Standing<Place>[]];
    if (this.#options.oneAtATime === true) return first;
    const name = nameOf(kind);
    const withRoom = usable.filter((each) => each[name].hasRoomFor(kind.user));
    const better = (one: Standing<Place>, other: Standing<Place>) => (underWay(other) < underWay(one) ? other : one);
    if (withRoom.length > 0) return withRoom.reduce(better);
    return usable.find((each) => !each[name].isFull) ?? first;
  }

  /** Takes turns among places with equal load. */
  #turnTo(chosen: Standing<Place>): Standing<Place> {
    const index = this.#standings.indexOf(chosen);
    this.#at = this.#options.oneAtATime === true ? index : this.#after(index);
    return chosen;
  }

  #probeRested(): void {
    const nowMs = this.#nowMs();
    for (const standing of this.#standings) {
      if (standing.state !== 'failed' || standing.restsUntilMs > nowMs) continue;
      void this.#probe(standing, (answers) => {
        if (standing.state !== 'failed') return;
        if (answers) standing.state = 'unproven';
        else this.#rest(standing);
      });
    }
  }

  async #probe(standing: Standing<Place>, told: (answers: boolean) => void): Promise<void> {
    if (standing.isProbed) return;
    standing.isProbed = true;
    const answers = await this.#options.probe(standing.place);
    standing.isProbed = false;
    told(answers);
    this.#serve();
  }

  #rest(standing: Standing<Place>): void {
    standing.restsUntilMs = this.#nowMs() + Math.min(longestRestMs, firstRestMs * 2 ** standing.failures);
    standing.failures = Math.min(standing.failures + 1, 10);
  }

  #after(index: number): number {
    return (index + 1) % this.#standings.length;
  }

  #of(place: Place): Standing<Place> {
    return this.#standings[this.all.indexOf(place)] as Standing<Place>;
  }
}

function underWay({ queries, mutations }: Standing<unknown>): number {
  return queries.count + mutations.count;
}

function nameOf({ mutation }: Pick<Kind, 'mutation'>): 'queries' | 'mutations' {
  return mutation ? 'mutations' : 'queries';
}
