// Creating, joining, renewing and revoking machines. The private key never leaves the machine; its credentials are
// valid for one role.
import type {
  MachineCreateInput,
  MachineJoinInput,
  MachineRenewInput,
  MachineRevokeInput,
} from '../../../../generated/graph/system.ts';
import { audit } from '../../../../platform/audit/audit.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Effect, LookFirst, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { quoted, Refusal, refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { caller, machineCaller, requireAdmin } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { refuseTaken, refuseUnknown } from '../../../../platform/input/refusals.ts';
import { type Authority, readPublicKey } from '../../../../platform/machines/authority.ts';
import { machineNamePattern } from '../../../../platform/machines/machine.ts';
import {
  checkMachineRecords,
  insertMachineRecords,
  type MachineRecords,
  type NewMachineRecords,
} from '../../../../platform/machines/machine-records.ts';
import { subgraphRole } from '../../../../platform/machines/subgraph-record.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { requireAdminNow } from '../access/admin-now.ts';
import { type Attempts, whenTried } from '../access/attempts.ts';
import type { CredentialStore } from '../access/credential-store.ts';
import { hashSecret, newJoinToken, newMachineToken } from '../access/secrets.ts';
import type { Entities } from '../entities.ts';
import { systemEvents } from '../events.ts';
import { type Machine, stateOf } from '../stores/machine.ts';
import type { MachineStore } from '../stores/machine-store.ts';
import { roleWord } from './machine-roles.ts';

interface MachineServiceOptions {
  readonly db: Database;
  readonly machines: MachineStore;
  readonly entities: Entities;
  readonly credentials: CredentialStore;
  readonly attempts: Attempts;
  readonly mutations: Mutations;
  readonly wake: Wake;
  /** Undefined if the installation has none. */
  readonly authority: () => Promise<Authority | undefined>;
  /** The roles of processes. */
  readonly roles: readonly string[];
}

interface MachineWish {
  readonly name: string;
  readonly role: string;
  /** UUID of the creator. */
  readonly createdBy: string;
  /** Default: none. */
  readonly records?: NewMachineRecords;
}

interface MachineCredential {
  readonly certificate: string;
  /** PEM. */
  readonly authority: string;
  readonly token: string;
  readonly expiresAt: Date;
}

type CredentialOutcome = MutationOutcome<Machine> & { readonly credential: MachineCredential | undefined };

const longestKey = 1_024;

export class MachineService {
  readonly #db: Database;
  readonly #machines: MachineStore;
  readonly #entities: Entities;
  readonly #credentials: CredentialStore;
  readonly #attempts: Attempts;
  readonly #mutations: Mutations;
  readonly #wake: Wake;
  readonly #authority: MachineServiceOptions['authority'];
  readonly #roles: readonly string[];

  constructor(options: MachineServiceOptions) {
    this.#db = options.db;
    this.#machines = options.machines;
    this.#entities = options.entities;
    this.#credentials = options.credentials;
    this.#attempts = options.attempts;
    this.#mutations = options.mutations;
    this.#wake = options.wake;
    this.#authority = options.authority;
    this.#roles = [...options.roles.filter((role) => role !== 'worker'), subgraphRole];
  }

  /** `join` is undefined when the request was refused or repeated: the join token is not stored. */
  async create(
    context: RequestContext,
    input: MachineCreateInput,
  ): Promise<MutationOutcome<Machine> & { readonly join: { token: string; expiresAt: Date } | undefined }> {
    const identity = caller(context);
    let join: { token: string; expiresAt: Date } | undefined;
    const outcome = await this.#mutations.run({
      name: 'machineCreate',
      context,
      input,
      subject: 'Machine',
      prepare: async ({ check }) => {
        const { name, loadBalancerHost, gslbChecker, gslbNameServer, outsideSubgraph } = input;
        const given = {
          ...(loadBalancerHost == null ? {} : { loadBalancerHost }),
          ...(gslbChecker == null ? {} : { gslbChecker }),
          ...(gslbNameServer == null ? {} : { gslbNameServer }),
          ...(outsideSubgraph == null ? {} : { outsideSubgraph }),
        };
        const wish = { name, role: roleWord(input.machineRole), createdBy: identity.id, records: given };
        const records = this.#check(check, wish);
        requireAdmin(identity);
        check.throwIfAny();
        const authority = await this.#requireAuthority();
        return async (tx) => {
          await requireAdminNow(tx, this.#credentials, identity);
          const made = await this.#insert(tx, authority, wish, records);
          join = made;
          return made.id;
        };
      },
      read: (id) => this.#entities.machine(context, id),
    });
    return { ...outcome, join: outcome.commit === null || outcome.replayed ? undefined : join };
  }

  /** For the command line at the database: creates machines and joins them. Makes all, or throws a Refusal like `create`. */
  async issue(
    wishes: readonly (MachineWish & { readonly publicKey: string })[],
  ): Promise<readonly { readonly id: string; readonly credential: MachineCredential }[]> {
    const check = new InputCheck();
    const checked = wishes.map((wish) => ({ wish, records: this.#check(check, wish) }));
    check.throwIfAny();
    const authority = await this.#requireAuthority();
    const joinTokens = await this.#db.transaction(async (tx) => {
      const tokens: string[] = [];
      for (const { wish, records } of checked) {
        const made = await this.#insert(tx, authority, wish, records);
        const { name, role } = wish;
        await audit(tx, {
          ...{
            identity: null,
            action: 'issueMachine',
            projectId: null,
            outcome: 'ACCEPTED',
            requestId: 'command-line',
          },
          ...{ subjectType: 'Machine', subjectId: made.id, details: { name, role } },
        });
        tokens.push(made.token);
      }
      return tokens;
    });
    const issued: { id: string; credential: MachineCredential }[] = [];
    for (const [index, joinToken] of joinTokens.entries()) {
      const context = { identity: null, requestId: 'command-line', loaders: new Map() };
      const publicKey = wishes[index]?.publicKey ?? '';
      const { entity, credential, userErrors } = await this.join(context, { joinToken, publicKey });
      if (entity === null || credential === undefined) throw new Refusal(userErrors);
      issued.push({ id: entity.id, credential });
    }
    return issued;
  }

  /** Needs no login: the join token is the credential, and attempts at it are counted. */
  async join(context: RequestContext, input: MachineJoinInput): Promise<CredentialOutcome> {
    let credential: MachineCredential | undefined;
    const outcome = await this.#mutations.run({
      name: 'machineJoin',
      context,
      input,
      subject: 'Machine',
      prepare: async ({ check }) => {
        const giveBack = await this.#attempts.joinToken(context);
        check.text('joinToken', input.joinToken, { required: true, min: 1, max: 256 });
        const publicKey = keyOf(check, input.publicKey);
        check.throwIfAny();
        const keyHash = hashSecret(publicKey);
        const joinHash = hashSecret(input.joinToken);
        const invited = await whenTried(giveBack, () => this.#machines.invitation(joinHash));
        if (invited === undefined || !invited.open || invited.revokedAt !== null || otherKey(invited, keyHash))
          refuseJoin();
        await giveBack();
        return this.#issue(invited, publicKey, async (tx, made) => {
          const machine = await this.#machines.lock(tx, invited.id);
          if (machine === undefined || !(await this.#machines.join(tx, invited.id, keyHash))) refuseJoin();
          if (machine.joinedAt === null) {
            const next = { ...machine, version: machine.version + 1 };
            const joined = { ...event(next, 'machine.joined'), from: 'INVITED', to: 'JOINED' } as const;
            await appendStatus(tx, systemEvents, [joined], this.#wake);
          }
          credential = { ...made, expiresAt: await this.#machines.addToken(tx, invited.id, hashSecret(made.token)) };
        });
      },
      // The holder of the join token may read the machine that joined with it.
      read: async (id) => (await this.#machines.byIds([id])).get(id),
    });
    return { ...outcome, credential: outcome.commit === null ? undefined : credential };
  }

  /** The earlier certificate and token stay valid until they expire, because the answer may be lost. */
  async renew(context: RequestContext, input: MachineRenewInput): Promise<CredentialOutcome> {
    const { id } = machineCaller(context);
    let credential: MachineCredential | undefined;
    const outcome = await this.#mutations.run({
      name: 'machineRenew',
      context,
      input,
      subject: 'Machine',
      prepare: async ({ check }) => {
        const publicKey = keyOf(check, input.publicKey);
        check.throwIfAny();
        const machine = (await this.#machines.byIds([id])).get(id);
        if (machine === undefined || machine.revokedAt !== null) refuseRevoked();
        return this.#issue(machine, publicKey, async (tx, made) => {
          const locked = await this.#machines.lock(tx, id);
          if (locked === undefined || locked.revokedAt !== null) refuseRevoked();
          credential = { ...made, expiresAt: await this.#machines.addToken(tx, id, hashSecret(made.token)) };
        });
      },
      read: async (machineId) => (await this.#machines.byIds([machineId])).get(machineId),
    });
    return { ...outcome, credential: outcome.commit === null ? undefined : credential };
  }

  /** Revoking twice is not an error and makes no second event. */
  revoke(context: RequestContext, input: MachineRevokeInput): Promise<MutationOutcome<Machine>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'machineRevoke',
      context,
      input,
      subject: 'Machine',
      prepare: ({ check }) => {
        requireAdmin(identity);
        const id = check.id('id', input.id, 'Machine') ?? '';
        check.throwIfAny();
        return async (tx) => {
          const machine = (await this.#machines.lock(tx, id)) ?? refuseUnknown('Machine', 'id', input.id);
          if (machine.revokedAt !== null) return id;
          await this.#machines.revoke(tx, id);
          const next = { ...machine, version: machine.version + 1 };
          const revoked = { ...event(next, 'machine.revoked'), from: stateOf(machine), to: 'REVOKED' } as const;
          await appendStatus(tx, systemEvents, [revoked], this.#wake);
          return id;
        };
      },
      read: (id) => this.#entities.machine(context, id),
    });
  }

  #check(check: InputCheck, { name, role, records = {} }: MachineWish): MachineRecords {
    const wants = 'lower-case letters, digits and hyphens, with a letter or digit at either end';
    check.text('name', name, { required: true, min: 1, max: 63, pattern: machineNamePattern, wants });
    if (!this.#roles.includes(role))
      check.fault('machineRole', `the role is ${quoted(role)}; it must be one of ${this.#roles.join(', ')}`);
    return checkMachineRecords(check, role, records);
  }

  async #insert(
    tx: Transaction,
    { sha256 }: Authority,
    { name, role, createdBy }: MachineWish,
    records: MachineRecords,
  ): Promise<{ id: string; token: string; expiresAt: Date }> {
    const id = newUuid();
    const token = newJoinToken(sha256);
    const machine = { id, name, role, joinHash: hashSecret(token), createdBy };
    const expiresAt = await refuseTaken('machine', name, this.#machines.insert(tx, machine));
    await insertMachineRecords(tx, id, records, (_, machines) => this.#machines.present(tx, machines));
    const made = { ...event({ id, name, version: 1 }, 'machine.created'), from: null, to: 'INVITED' } as const;
    await appendStatus(tx, systemEvents, [made], this.#wake);
    return { id, token, expiresAt };
  }

  /** Makes the certificate first, outside of the transaction. */
  async #issue(
    machine: Machine,
    publicKey: string,
    write: (tx: Transaction, made: Omit<MachineCredential, 'expiresAt'>) => Promise<void>,
  ): Promise<LookFirst> {
    const authority = await this.#requireAuthority();
    return {
      look: async (): Promise<Effect> => {
        const certificate = await authority.issue(machine, publicKey);
        return async (tx) => {
          await write(tx, { certificate, authority: authority.cert, token: newMachineToken() });
          return machine.id;
        };
      },
    };
  }

  async #requireAuthority(): Promise<Authority> {
    return (
      (await this.#authority()) ??
      refuse(
        'WRONG_STATE',
        'the installation has no authority for machines: run "tidegate keys create FOLDER" with the folder of keys.folder, where openssl is installed',
      )
    );
  }
}

function keyOf(check: { fault(field: string, message: string): void }, pem: string): string {
  const key = pem.length > longestKey ? undefined : readPublicKey(pem);
  if (key === undefined) check.fault('publicKey', 'publicKey must be the PEM of a P-256 public key');
  return key ?? '';
}

function otherKey({ joinKeyHash }: { joinKeyHash: string | null }, keyHash: string): boolean {
  return joinKeyHash !== null && joinKeyHash !== keyHash;
}

/** The same answer for every invalid token: it does not reveal which ones exist. */
function refuseJoin(): never {
  refuse(
    'BAD_CREDENTIALS',
    'the join token was used, has expired, or never existed: an administrator makes a new one with machineCreate',
    { field: ['input', 'joinToken'] },
  );
}

function refuseRevoked(): never {
  refuse('BAD_CREDENTIALS', 'the machine was revoked: an administrator creates it again with machineCreate');
}

function event<Kind extends string>({ id, version, name }: Pick<Machine, 'id' | 'version' | 'name'>, kind: Kind) {
  return { projectId: null, kind, subjectId: id, subjectVersion: version, reason: name };
}
