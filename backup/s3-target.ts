// All backups of one installation under a prefix of a bucket. An object store has no rename: a backup is written under its name, and counts once it
// has a manifest, which is written last and removed first. The one writer holds an object that is made, or taken from a dead process, on a condition.
import { fault } from './faults.ts';
import { manifestName } from './manifest.ts';
import type { Place } from './place.ts';
import { childText, type S3Client, xmlOf } from './s3-client.ts';
import { abortUpload, S3Place } from './s3-place.ts';
import {
  type BackupTarget,
  backupPattern,
  markName,
  markOf,
  nameOf,
  refuseForeign,
  requireOwnMark,
  writerName,
} from './target.ts';
import { ownWriterMark, refuseLivingWriter } from './writer-mark.ts';

const refused = 'PreconditionFailed';

export class S3Target implements BackupTarget {
  readonly root: Place;
  readonly client: S3Client;
  readonly #keys: string;
  #begun = '';

  constructor(client: S3Client) {
    const { prefix } = client.settings;
    this.client = client;
    this.root = new S3Place(client, prefix);
    this.#keys = prefix === '' ? '' : `${prefix}/`;
  }

  async claim(installation: string): Promise<void> {
    const known = new Set([markName, writerName]);
    const names = await this.#list('', '/');
    refuseForeign(
      this.root.shown,
      names.filter((name) => !known.has(name) && !(name.endsWith('/') && backupPattern.test(name.slice(0, -1)))),
    );
    await requireOwnMark(this.root, installation);
    // A store that ignores conditions would let two processes write at once. The mark has this text already.
    if ((await this.#putIf(markName, markOf(installation), { 'if-none-match': '*' })) !== refused)
      fault(
        `${this.client.settings.endpoint.origin} ignores "If-None-Match: *", so two backups could write at once: use a store that knows conditional writes`,
      );
  }

  async names(): Promise<readonly string[]> {
    const whole: string[] = [];
    for (const name of await this.#begunNames()) if (await this.#isWhole(name)) whole.push(name);
    return whole;
  }

  async alone<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.#takeTurn();
    try {
      await this.#cleanUp();
      return await work();
    } finally {
      await this.#delete(writerName);
    }
  }

  /** A store says by a refusal that it is full. */
  async requireRoom(): Promise<void> {}

  async begin(at: Date): Promise<Place> {
    this.#begun = nameOf(at);
    if (await this.#isWhole(this.#begun)) fault(`${this.root.shown} has a backup of this second: try again`);
    return this.root.at(this.#begun);
  }

  async finish(): Promise<string> {
    return this.#begun;
  }

  async abandon(): Promise<void> {
    await this.remove(this.#begun);
  }

  async remove(name: string): Promise<void> {
    await this.#delete(`${name}/${manifestName}`);
    for (const each of await this.#list(`${name}/`, '')) await this.#delete(`${name}/${each}`);
  }

  async #begunNames(): Promise<readonly string[]> {
    const names = (await this.#list('', '/')).filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1));
    return names.filter((name) => backupPattern.test(name)).sort();
  }

  async #isWhole(name: string): Promise<boolean> {
    const key = `${this.#keys}${name}/${manifestName}`;
    return (await this.client.send({ method: 'HEAD', key, doing: `read ${name}`, takes: ['NoSuchKey'] })).code === '';
  }

  /** What a killed writer left. */
  async #cleanUp(): Promise<void> {
    const uploads = await this.client.send({
      method: 'GET',
      key: '',
      query: { prefix: this.#keys, uploads: '' },
      doing: 'list uploads',
    });
    for (const upload of xmlOf(uploads.body)?.children ?? []) {
      const [key, id] = [childText(upload, 'Key'), childText(upload, 'UploadId')];
      if (upload.name === 'Upload' && key !== undefined && id !== undefined) await abortUpload(this.client, key, id);
    }
    for (const name of await this.#begunNames()) if (!(await this.#isWhole(name))) await this.remove(name);
  }

  /** Names after the prefix. With a delimiter those of "folders" end with it. */
  async #list(under: string, delimiter: string): Promise<readonly string[]> {
    const prefix = `${this.#keys}${under}`;
    const names: string[] = [];
    let next: string | undefined;
    do {
      const more = {
        ...(delimiter === '' ? {} : { delimiter }),
        ...(next === undefined ? {} : { 'continuation-token': next }),
      };
      const query = { ...more, 'list-type': '2', prefix };
      const { body } = await this.client.send({ method: 'GET', key: '', query, doing: 'list objects' });
      const root = xmlOf(body);
      if (root?.name !== 'ListBucketResult')
        return fault(`${this.client.settings.endpoint.origin} is no object store with S3: correct AWS_ENDPOINT_URL`);
      for (const each of root.children) {
        const key =
          each.name === 'Contents'
            ? childText(each, 'Key')
            : each.name === 'CommonPrefixes'
              ? childText(each, 'Prefix')
              : undefined;
        if (key !== undefined) names.push(key.slice(prefix.length));
      }
      next = childText(root, 'IsTruncated') === 'true' ? childText(root, 'NextContinuationToken') : undefined;
    } while (next !== undefined);
    return names;
  }

  async #takeTurn(): Promise<void> {
    const text = ownWriterMark();
    if ((await this.#putIf(writerName, text, { 'if-none-match': '*' })) === '') return;
    const key = this.#keys + writerName;
    const before = await this.client.send({ method: 'GET', key, doing: `read ${writerName}`, takes: ['NoSuchKey'] });
    const shown = `${this.root.shown}/${writerName}`;
    if (before.code === '') {
      const found = before.body.toString();
      // A repeated request whose first answer was lost has made it.
      if (found === text) return;
      refuseLivingWriter(found, this.root.shown, shown);
    }
    const condition = before.code === '' ? { 'if-match': before.headers.etag ?? '' } : { 'if-none-match': '*' };
    if ((await this.#putIf(writerName, text, condition)) !== '')
      fault(`another process has begun to write to ${this.root.shown}: try again when it has ended`);
  }

  /** Empty, or the code of the refusal. */
  async #putIf(name: string, text: string, headers: Readonly<Record<string, string>>): Promise<string> {
    const takes = [refused, 'ConditionalRequestConflict', 'NoSuchKey'];
    const request = {
      method: 'PUT',
      key: this.#keys + name,
      headers,
      body: Buffer.from(text),
      doing: `write ${name}`,
      takes,
    } as const;
    return (await this.client.send(request)).code;
  }

  async #delete(name: string): Promise<void> {
    await this.client.send({ method: 'DELETE', key: this.#keys + name, doing: `delete ${name}`, takes: ['NoSuchKey'] });
  }
}
