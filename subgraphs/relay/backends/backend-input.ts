// What a backend's fields may be. Faults are collected in the caller's InputCheck, with the paths of the mutation's input.
import type { InputCheck } from '../../../platform/input.ts';
import type { Driver } from '../drivers/driver.ts';
import type { CredentialsInput } from './credentials.ts';

export interface LimitsInput {
  readonly concurrency?: number | null;
  readonly queueLimit?: number | null;
  readonly deadlineMs?: number | null;
}

export interface LabelInput {
  readonly name: string;
  readonly value: string;
}

export const defaultLimits = { concurrency: 4, queueLimit: 1000, deadlineMs: 30_000 } as const;

const namePattern = /^[A-Za-z0-9._-]+$/;
const nameWants = 'letters, digits, dot, hyphen, underscore';
// As ssh-keygen -lf prints it: base64 of 32 bytes without padding.
const hostKeyPattern = /^SHA256:[A-Za-z0-9+/]{43}$/;

export function checkName(check: InputCheck, field: string, value: string): void {
  check.text(field, value, { required: true, min: 1, max: 63, pattern: namePattern, wants: nameWants });
}

export function checkSite(check: InputCheck, value: string | null | undefined): void {
  check.text('site', value, { min: 1, max: 63 });
}

export function checkLabels(check: InputCheck, labels: readonly LabelInput[] | null | undefined): void {
  if (labels == null) return;
  check.count('labels', labels, { max: 32 });
  labels.slice(0, 32).forEach((label, index) => {
    checkName(check, `labels.${index}.name`, label.name);
    check.text(`labels.${index}.value`, label.value, { max: 255 });
  });
  const names = labels.map((label) => label.name);
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice >= 0) check.fault(`labels.${twice}.name`, `label ${names[twice]} is given twice; a name has one value`);
}

export function checkLimits(check: InputCheck, limits: LimitsInput | null | undefined): void {
  check.integer('limits.concurrency', limits?.concurrency, { min: 1, max: 16 });
  check.integer('limits.queueLimit', limits?.queueLimit, { min: 0, max: 10_000 });
  check.integer('limits.deadlineMs', limits?.deadlineMs, { min: 100, max: 600_000 });
}

export function checkHostKey(check: InputCheck, value: string | null | undefined, required = false): void {
  const wants = 'a fingerprint as ssh-keygen -lf prints it: SHA256: and 43 characters';
  check.text('hostKeySha256', value, { required, max: 64, pattern: hostKeyPattern, wants });
}

/** Secrets are never named in a message. */
export function checkCredentials(check: InputCheck, input: CredentialsInput, driver: Driver | undefined): void {
  check.text('credentials.username', input.username, { required: true, min: 1, max: 255 });
  check.text('credentials.password', input.password, { min: 1, max: 1024 });
  check.text('credentials.privateKey', input.privateKey, { min: 1, max: 15_000, multiline: true });
  check.text('credentials.passphrase', input.passphrase, { min: 1, max: 1024 });
  if ((input.password == null) === (input.privateKey == null))
    check.fault('credentials', 'credentials need a password or a private key, and not both');
  for (const field of ['password', 'privateKey', 'passphrase'] as const)
    if (input[field] != null && driver !== undefined && !driver.credentialFields.includes(field))
      check.fault(`credentials.${field}`, `driver ${driver.name} does not use ${field}`);
}
