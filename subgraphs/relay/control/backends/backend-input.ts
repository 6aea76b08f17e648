// Checks a backend's fields. Faults are collected in the caller's InputCheck, with the paths of the mutation's input.
import { X509Certificate } from 'node:crypto';
import type {
  BackendCredentialsInput,
  BackendLabelInput,
  BackendLimitsInput,
} from '../../../../generated/graph/relay.ts';
import { invariant } from '../../../../platform/errors/errors.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { validateObject } from '../../../../platform/input/json-schema.ts';
import { keyCostFault } from '../../../../platform/net/private-key-cost.ts';
import type { Driver, JsonObject } from '../../drivers/driver.ts';
import { mainTransport } from '../../drivers/options.ts';
import { credentialFields } from './credentials.ts';

export const defaultLimits = { concurrency: 4, queueLimit: 1000, deadlineMs: 30_000 } as const;

const namePattern = /^[A-Za-z0-9._-]+$/;
const nameWants = 'letters, digits, dots, hyphens and underscores';
// In the format of ssh-keygen -lf: base64 of 32 bytes without padding.
const hostKeyPattern = /^SHA256:[A-Za-z0-9+/]{43}$/;
const certificatePattern = /^(SHA256:[A-Za-z0-9+/]{43}|[0-9A-Fa-f]{64}|([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})$/;

export function checkName(check: InputCheck, field: string, value: string): void {
  check.text(field, value, { required: true, min: 1, max: 63, pattern: namePattern, wants: nameWants });
}

export function checkSite(check: InputCheck, value: string | null | undefined): void {
  check.text('site', value, { min: 1, max: 63 });
}

export function checkLabels(check: InputCheck, labels: readonly BackendLabelInput[] | null | undefined): void {
  if (labels == null) return;
  check.list('labels', labels, { max: 32 }, (label, field) => {
    checkName(check, `${field}.name`, label.name);
    check.text(`${field}.value`, label.value, { max: 255 });
  });
  const names = labels.map((label) => label.name);
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice >= 0) check.fault(`labels.${twice}.name`, `label ${names[twice]} is given twice; give each name one value`);
}

export function checkLimits(check: InputCheck, limits: BackendLimitsInput | null | undefined): void {
  check.integer('limits.concurrency', limits?.concurrency, { min: 1, max: 16 });
  check.integer('limits.queueLimit', limits?.queueLimit, { min: 0, max: 10_000 });
  check.integer('limits.deadlineMs', limits?.deadlineMs, { min: 100, max: 600_000 });
}

export function checkHostKey(check: InputCheck, value: string | null | undefined, required = false): void {
  const wants = 'a fingerprint as ssh-keygen -lf prints it: SHA256: and 43 characters';
  check.text('hostKeySha256', value, { required, max: 64, pattern: hostKeyPattern, wants });
}

export function checkCertificate(check: InputCheck, value: string | null | undefined, required = false): void {
  const wants =
    'the SHA-256 of the certificate: 64 hexadecimal digits, with or without colons, or SHA256: and 43 characters';
  check.text('certificateSha256', value, { required, max: 95, pattern: certificatePattern, wants });
}

/** `SHA256:…` in base64, from any accepted format; the fingerprint must be valid. */
export function canonicalFingerprint(value: string): string {
  if (value.startsWith('SHA256:')) return value;
  return `SHA256:${Buffer.from(value.replaceAll(':', ''), 'hex').toString('base64').replace(/=+$/, '')}`;
}

/** In the format of `openssl x509 -fingerprint -sha256`, for comparison by people. */
export function hexFingerprint(sha256: string): string {
  const bytes = Buffer.from(sha256.slice('SHA256:'.length), 'base64');
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');
}

export function checkCaCertificates(check: InputCheck, value: string | null | undefined): void {
  check.text('caCertificates', value, { min: 1, max: 60_000, multiline: true });
  if (value == null || value.length > 60_000) return;
  const blocks = value.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0 || blocks.some((block) => !isCertificate(block)))
    check.fault('caCertificates', 'caCertificates must be one or more valid PEM certificates');
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

export function checkOptions(check: InputCheck, value: unknown, driver: Driver): void {
  const checked = validateObject(driver.optionsSchema, value);
  if (checked.ok) return;
  for (const { path, message } of checked.faults) {
    const field = ['options', ...path].join('.');
    check.fault(field, `${field} ${message}; see the optionsSchema of driver ${driver.name}`);
  }
}

/** The usual port of the main wire. */
export function usualPort(driver: Driver, options: JsonObject): number {
  const port = driver.ports[mainTransport(driver, options)];
  invariant(port !== undefined, 'the options name a wire of the driver');
  return port;
}

/** Messages never name secrets. */
export function checkCredentials(check: InputCheck, input: BackendCredentialsInput, driver: Driver | undefined): void {
  check.text('credentials.username', input.username, { required: true, min: 1, max: 255 });
  check.text('credentials.password', input.password, { min: 1, max: 1024 });
  check.text('credentials.privateKey', input.privateKey, { min: 1, max: 15_000, multiline: true });
  const tooCostly = input.privateKey == null ? undefined : keyCostFault(input.privateKey);
  if (tooCostly !== undefined) check.fault('credentials.privateKey', `the private key can't be used: ${tooCostly}`);
  check.text('credentials.passphrase', input.passphrase, { min: 1, max: 1024 });
  check.text('credentials.apiToken', input.apiToken, { min: 1, max: 4096 });
  check.text('credentials.clientCertificate', input.clientCertificate, { min: 1, max: 15_000, multiline: true });
  const proofs = [input.password, input.privateKey, input.apiToken].filter((proof) => proof != null).length;
  if (proofs === 0) check.fault('credentials', 'credentials must have a password, a private key or an API token');
  if (input.password != null && input.privateKey != null)
    check.fault('credentials', 'credentials must have either a password or a private key');
  for (const field of credentialFields)
    if (input[field] != null && driver !== undefined && !driver.credentialFields.includes(field))
      check.fault(`credentials.${field}`, `driver ${driver.name} does not use ${field}`);
}
