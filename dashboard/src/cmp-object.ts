// The name of an object of the CMP, in an address and as somebody types it: tenant/42, or blue:tenant/42 in another namespace than the default one.

export interface CmpObjectKey {
  readonly namespace: string;
  readonly type: string;
  readonly externalId: string;
}

const pattern = /^(?:([^\s:/]{1,63}):)?([^\s:/]{1,63})\/(\S{1,255})$/;

/** Undefined if it is no such name. */
export function parseCmpObject(text: string): CmpObjectKey | undefined {
  const [, namespace = 'default', type, externalId] = pattern.exec(text.trim()) ?? [];
  return type === undefined || externalId === undefined ? undefined : { namespace, type, externalId };
}

/** `tenant/42`, with the namespace when it is not the default one. */
export function formatCmpObject({ namespace, type, externalId }: CmpObjectKey): string {
  const name = `${type}/${externalId}`;
  return namespace === 'default' ? name : `${namespace}:${name}`;
}

/** The address of the CMP object's page. */
export function linkToCmpObject(object: CmpObjectKey): string {
  return `/cmp?object=${encodeURIComponent(formatCmpObject(object))}`;
}
