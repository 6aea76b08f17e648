// A machine of the installation: a process on another host, with an identity for one role and one name. Its certificate names it
// in a URI of the subject alternative name: `tidegate:machine:ROLE:NAME:UUID`.

export interface MachineName {
  /** UUID. */
  readonly id: string;
  /** Its role, for example gateway or relay. */
  readonly role: string;
  readonly name: string;
}

/** A DNS label, so that it is valid in certificates, file names and logs. */
export const machineNamePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export function machineUri({ role, name, id }: MachineName): string {
  return `tidegate:machine:${role}:${name}:${id}`;
}

const uriPattern = /(?:^|, )URI:tidegate:machine:([a-z0-9-]{1,63}):([a-z0-9-]{1,63}):([0-9a-f-]{36})(?:, |$)/;

/** Undefined if the certificate does not name a machine. */
export function machineOf({
  subjectAltName,
}: {
  readonly subjectAltName?: string | undefined;
}): MachineName | undefined {
  const [, role, name, id] = uriPattern.exec(subjectAltName ?? '') ?? [];
  return role === undefined || name === undefined || id === undefined ? undefined : { role, name, id };
}
