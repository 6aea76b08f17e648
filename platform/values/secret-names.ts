// Names of secret values: the one list for the audit trail, the log, request hashes and the answers of devices.

/** Members of inputs, headers, credentials and log lines. */
export const secretNames = [
  'password',
  'currentPassword',
  'newPassword',
  'privateKey',
  'passphrase',
  'secret',
  'refreshToken',
  'accessToken',
  'apiToken',
  'token',
  'joinToken',
  'credential',
  'credentials',
  'authorization',
] as const;

const known: ReadonlySet<string> = new Set(secretNames.map((name) => name.toLowerCase()));

export function isSecretName(name: string): boolean {
  return known.has(name.toLowerCase());
}
