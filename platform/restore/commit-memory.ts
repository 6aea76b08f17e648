// Recent commits, remembered outside of the database. If a database lacks a remembered commit, it was set back by a restored backup
// or by a failover that lost commits.
import type { CommitPoint } from '../database/database.ts';
import type { TextMemory } from './text-memory.ts';

/** A point, and the process that remembered it. */
export interface RememberedPoint extends CommitPoint {
  /** UUID of the process. */
  readonly owner: string;
}

const pointPattern = /^(\d{1,9})\.([0-9a-f-]{36})$/;
const mostOwners = 1_000;

/** The newest commit of each process, by its UUID. */
export class CommitMemory {
  readonly texts: TextMemory;

  constructor(texts: TextMemory) {
    this.texts = texts;
  }

  get name(): string {
    return this.texts.name;
  }

  async read(installation: string): Promise<readonly RememberedPoint[]> {
    const fields = await this.texts.read(installation);
    return Object.entries(fields)
      .slice(0, mostOwners)
      .flatMap(([owner, text]) => {
        const match = pointPattern.exec(text);
        return match === null ? [] : [{ owner, epoch: Number(match[1]), id: match[2] ?? '' }];
      });
  }

  write(installation: string, { owner, epoch, id }: RememberedPoint): Promise<void> {
    return this.texts.write(installation, { [owner]: `${epoch}.${id}` });
  }

  forget(installation: string, points: readonly RememberedPoint[]): Promise<void> {
    return this.texts.forget(
      installation,
      points.map(({ owner }) => owner),
    );
  }
}
