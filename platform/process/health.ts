// The health of this process's components: each component has a check with a deadline, all run at once, and a result is shared for a
// moment, so that frequent requests cost little.
import {
  DiskFullError,
  databaseErrorNumber,
  isConnectionLost,
  isDiskFull,
  isReadOnly,
} from '../errors/database-errors.ts';
import { within } from '../work/within.ts';

interface ComponentHealth {
  /** For example database, redis, sequencer, relay. */
  readonly name: string;
  readonly ready: boolean;
  /** The fault, or a figure that shows its state. */
  readonly detail: string | null;
}

interface Readiness {
  readonly ready: boolean;
  readonly missing: readonly ComponentHealth[];
  readonly impaired: readonly ComponentHealth[];
  /** All components, those that work too. */
  readonly parts: readonly (ComponentHealth & { readonly required: boolean })[];
}

/** Returns a figure or nothing; throws, with the fault, when the component does not work. */
type HealthCheck = (signal: AbortSignal) => Promise<string | undefined>;

interface Component {
  readonly name: string;
  readonly required: boolean;
  readonly check: HealthCheck;
}

const deadlineMs = 2_000;
const sharedForMs = 500;

export class Health {
  readonly #components: Component[] = [];
  #answer: { readonly components: Promise<readonly ComponentHealth[]>; readonly askedAtMs: number } | undefined;

  /** `required: false`: the process is ready without it (Redis). */
  add(name: string, check: HealthCheck, options: { readonly required?: boolean } = {}): void {
    this.#components.push({ name, check, required: options.required ?? true });
    this.#answer = undefined;
  }

  /** All components, in the order they were added. Never throws. */
  components(): Promise<readonly ComponentHealth[]> {
    const nowMs = performance.now();
    if (this.#answer === undefined || nowMs - this.#answer.askedAtMs > sharedForMs)
      this.#answer = { components: Promise.all(this.#components.map(ask)), askedAtMs: nowMs };
    return this.#answer.components;
  }

  /**
   * Ready when every required component is ready. `missing` lists required components that are not. `impaired` lists others that
   * do not work.
   */
  async readiness(): Promise<Readiness> {
    const asked = this.#components;
    const parts = (await this.components()).map((part, index) => ({
      ...part,
      required: asked[index]?.required ?? true,
    }));
    const failing = parts.filter(({ ready }) => !ready);
    const missing = failing.filter(({ required }) => required);
    return { ready: missing.length === 0, missing, impaired: failing.filter(({ required }) => !required), parts };
  }
}

async function ask({ name, check }: Component): Promise<ComponentHealth> {
  try {
    return { name, ready: true, detail: (await within(deadlineMs, 'no answer', check)) ?? null };
  } catch (error) {
    return { name, ready: false, detail: faultOf(error) };
  }
}

/** Never the text of a statement, which the messages of the database's driver contain. */
function faultOf(error: unknown): string {
  if (error instanceof DiskFullError) return error.message;
  if (isReadOnly(error)) return 'the database is read-only';
  if (isDiskFull(error)) return "the database's disk is full";
  const number = databaseErrorNumber(error);
  if (number !== undefined)
    return isConnectionLost(error)
      ? `the database can't be reached (error ${number})`
      : `the database refused a statement (error ${number})`;
  if (!(error instanceof Error)) return String(error).slice(0, 500);
  return error.name.startsWith('PrismaClient') ? 'the database refused a read' : error.message.slice(0, 500);
}
