// The attackers and their methods: people without a login, members and a token of another project, and an operator
// of the same one.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { deniedBackend, movedBackend } from './backend-attacks.ts';
import { Caller, type Exchange } from './caller.ts';
import { cursorsToTry } from './cursor-attacks.ts';
import {
  type Attack,
  documentAttack,
  identityAttack,
  messageAttack,
  mutatedAttack,
  rawAttack,
  tokenAttack,
} from './http-attacks.ts';
import { neverTwin, type Question, Questions } from './questions.ts';
import { askedOverSocket, badSocket, manySubscriptions } from './socket-attacks.ts';
import type { Suspects } from './suspects.ts';
import type { Judge } from './verdict.ts';
import { loggedIn, logInAgain, type World } from './world.ts';

const workers = 12;

interface Callers {
  readonly anonymous: Caller;
  readonly mallory: Caller;
  readonly oscar: Caller;
  readonly token: Caller;
  readonly insider: Caller;
}

export class Attackers {
  readonly #world: World;
  readonly #judge: Judge;
  readonly #suspects: Suspects;
  readonly #random: Random;
  readonly #callers: Callers;
  readonly #questions: Questions;
  readonly #knownTokens: readonly string[];
  readonly #coming = new Map<Caller, Promise<void>>();

  private constructor(world: World, judge: Judge, suspects: Suspects, random: Random, callers: Callers) {
    this.#world = world;
    this.#judge = judge;
    this.#suspects = suspects;
    this.#random = random;
    this.#callers = callers;
    this.#knownTokens = [world.betaToken, callers.oscar.token ?? '', callers.mallory.token ?? ''];
    this.#questions = new Questions(
      {
        ...{ schema: world.schema, alphaIds: world.knownIds, ownIds: world.betaIds },
        texts: [world.logins.owner.name, 'lab-firewall', 'beta', 'default', 'admin', 'tenant', 'table.list', '42'],
        cursors: cursorsToTry(world.alphaCursors, random),
      },
      random,
    );
  }

  static async make(world: World, judge: Judge, suspects: Suspects, random: Random): Promise<Attackers> {
    const { logins, system, betaToken } = world;
    const { url } = system;
    return new Attackers(world, judge, suspects, random, {
      anonymous: new Caller({ name: 'nobody', address: '127.0.66.1', url, seesAlpha: false }),
      mallory: await loggedIn(world, logins.mallory, { address: '127.0.66.2', seesAlpha: false }),
      oscar: await loggedIn(world, logins.oscar, { address: '127.0.66.3', seesAlpha: false }),
      token: new Caller({ name: 'beta-token', address: '127.0.66.4', url, seesAlpha: false, token: betaToken }),
      insider: await loggedIn(world, logins.insider, { address: '127.0.66.5', seesAlpha: true }),
    });
  }

  /** Resolves with the number of requests. */
  async run(requests: number, isOver: () => boolean, progress: (line: string) => void): Promise<number> {
    let made = 0;
    const worker = async (): Promise<void> => {
      while (made < requests && !isOver()) {
        made += 1;
        if (made % 2_000 === 0) progress(`${made} requests`);
        await this.#one();
      }
    };
    await Promise.all(Array.from({ length: workers }, worker));
    return made;
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#callers).map((caller) => caller.close()));
  }

  async #one(): Promise<unknown> {
    const random = this.#random;
    const { anonymous, mallory, oscar, token, insider } = this.#callers;
    const member = random.pick([mallory, oscar, token]);
    const anyone = random.next() < 0.3 ? anonymous : member;
    const draw = random.next();
    if (draw < 0.3)
      return this.#ask(member, this.#questions.next(random.pick(['query', 'query', 'mutation'] as const)));
    if (draw < 0.36) return this.#try(anonymous, this.#plain(this.#questions.next('mutation'), anonymous));
    if (draw < 0.4) return this.#try(insider, this.#plain(this.#questions.next('query'), insider));
    if (draw < 0.56) return this.#try(anyone, documentAttack(anyone, random));
    if (draw < 0.66) return this.#try(anyone, messageAttack(anyone, random));
    const query = this.#questions.next('query');
    if (draw < 0.78) return this.#try(anyone, mutatedAttack(anyone, random, query));
    if (draw < 0.82) return this.#try(anonymous, tokenAttack(anonymous, random, this.#knownTokens, query));
    if (draw < 0.86) return this.#try(anyone, identityAttack(anyone, random, this.#world.system.subgraphUrls, query));
    if (draw < 0.88) return this.#try(anyone, rawAttack(anyone, random));
    if (draw < 0.9) return this.#try(mallory, manySubscriptions(mallory, random));
    if (draw < 0.94) return this.#try(member, askedOverSocket(member, this.#questions.next('subscription')));
    if (draw < 0.97) return this.#try(anyone, badSocket(anyone, random, query, this.#knownTokens));
    const { decoys, prizeId, system } = this.#world;
    const ports = [system.url, ...system.subgraphUrls].map((url) => Number(new URL(url).port));
    if (draw < 0.99) return this.#try(oscar, deniedBackend(oscar, random, decoys, ports));
    return this.#try(insider, movedBackend(insider, random, decoys, prizeId));
  }

  #plain(question: Question, caller: Caller): Attack {
    return { kind: question.kind, run: () => caller.ask(question.query, question.variables) };
  }

  /** A request about alpha's objects must get the same answer as one about objects that never existed. */
  async #ask(caller: Caller, question: Question): Promise<void> {
    const first = await this.#try(caller, this.#plain(question, caller));
    if (question.alphaIds.length === 0) return;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const twin = neverTwin(question);
      const [known, never] =
        attempt === 0
          ? [first, await this.#plain(twin.question, caller).run()]
          : [await this.#plain(question, caller).run(), await this.#plain(twin.question, caller).run()];
      // Concurrent changes in the caller's own project may cause a difference, but not three times in a row.
      if (known === undefined || outcomeOf(known) === twin.inItsWords(outcomeOf(never))) return;
      if (attempt === 2)
        this.#judge.found('leak', `${question.kind} reveals what exists: ${outcomeOf(known)} and ${outcomeOf(never)}`);
    }
  }

  async #try(caller: Caller, attack: Attack): Promise<Exchange | undefined> {
    try {
      const exchange = await this.#suspects.during(caller, attack);
      this.#judge.see(caller, attack, exchange);
      if (exchange.answers.some(({ errors }) => errors?.[0]?.extensions?.code === 'UNAUTHENTICATED'))
        if (caller !== this.#callers.anonymous) await this.#comeBack(caller);
      return exchange;
    } catch {
      // The connection was refused or cut, or the request could not be sent. A crash is detected by the process's end.
      return undefined;
    }
  }

  /** Attackers end their own sessions, too, and revoke their own tokens. */
  async #comeBack(caller: Caller): Promise<void> {
    const { logins, betaId } = this.#world;
    const login = Object.values(logins).find(({ name }) => name === caller.name);
    const back = async (): Promise<void> => {
      try {
        if (login !== undefined) await logInAgain(caller, login);
        else caller.token = await tokenFrom(this.#callers.oscar, betaId);
      } catch {
        // Not all at once, because attempts are limited.
        await sleep(1_000);
      }
    };
    const coming = this.#coming.get(caller) ?? back().finally(() => this.#coming.delete(caller));
    this.#coming.set(caller, coming);
    await coming;
  }
}

async function tokenFrom(operator: Caller, projectId: string): Promise<string | undefined> {
  const { answers } = await operator.ask(
    'mutation ($input: ApiTokenCreateInput!) { made: apiTokenCreate(input: $input) { secret } }',
    { input: { projectId, name: 'beta-token', role: 'OPERATOR' } },
  );
  return (answers[0]?.data?.made as { readonly secret?: string | null } | null | undefined)?.secret ?? undefined;
}

/** The information about existing objects that an answer reveals. */
function outcomeOf({ answers }: Exchange): string {
  return JSON.stringify(
    answers.map(({ data, errors }) => [
      withoutVolatile(data),
      (errors ?? []).map(({ extensions }) => extensions?.code ?? null),
    ]),
  );
}

/** Texts, and values that change all the time. */
const volatile = new Set(['message', 'retryAfterMs', 'token', 'statusCursor', 'cursor', 'endCursor', 'after']);

function withoutVolatile(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data ?? null, (key, value: unknown) => (volatile.has(key) ? undefined : value)));
}
