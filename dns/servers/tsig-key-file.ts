// The key of the servers, in the file format of BIND and its tools (tsig-keygen, nsupdate -k).
import { readPrivateFile } from '../../platform/secrets/key-file.ts';
import type { TsigKey } from '../wire/tsig.ts';

const pattern =
  /^\s*key\s+"?([a-z0-9._-]{1,200}?)\.?"?\s*\{\s*algorithm\s+"?(hmac-sha256|hmac-sha512)\.?"?\s*;\s*secret\s+"?([A-Za-z0-9+/]{16,344}={0,2})"?\s*;\s*\}\s*;?\s*$/i;

/** The file must be readable by its owner only. Throws an Error that never shows the content. */
export async function readTsigKey(path: string): Promise<TsigKey> {
  const text = (await readPrivateFile(path)).replace(/^\s*(#|\/\/).*$/gm, '');
  const [, name, algorithm, secret] = pattern.exec(text) ?? [];
  if (name === undefined || algorithm === undefined || secret === undefined)
    throw new Error(
      `${path} is not a TSIG key as "tsig-keygen -a hmac-sha256 NAME" writes it (hmac-sha256 or hmac-sha512, a secret of at least 12 bytes)`,
    );
  return {
    name: name.toLowerCase(),
    algorithm: algorithm.toLowerCase() as TsigKey['algorithm'],
    secret: Buffer.from(secret, 'base64'),
  };
}
