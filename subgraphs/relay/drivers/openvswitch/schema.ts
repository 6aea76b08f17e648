// Parts of the operations' JSON Schemas, for Open vSwitch.

/**
 * A bridge's own port and most others are network interfaces of Linux (IFNAMSIZ); programs read a leading hyphen as an option.
 */
export const name = {
  type: 'string',
  pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$',
  description: '1 to 15 letters, digits, dots, hyphens and underscores; a letter, digit or underscore first.',
} as const;

export const uuid = {
  type: 'string',
  pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
  description: "The row's `_uuid`. Only this row is deleted, not another one that now has its name.",
} as const;

/** Of calls that change a row. */
export const changedUuid = {
  ...uuid,
  description:
    "The row's `_uuid`. Only this row is changed, not another one that now has its name. Default: that of its mapping, else any.",
} as const;

/** Printable text; OVSDB itself accepts anything. */
const text = {
  type: 'string',
  maxLength: 255,
  pattern: '^[^\\p{C}\\p{Zl}\\p{Zp}]*$',
  description: 'Printable text on one line.',
} as const;

/** Keys whose values are shown: ids of Neutron, OVN and libvirt (ovs-vswitchd.conf.db(5), external_ids), and of a CMP. */
export const plainIds = [
  'iface-id',
  'iface-status',
  'attached-mac',
  'vm-id',
  'vm-uuid',
  'bridge-id',
  'cmp-id',
] as const;

/** `tidegate-` is reserved: the relay finds its own objects by these keys. */
export const externalIds = {
  type: 'object',
  propertyNames: {
    type: 'string',
    pattern: '^(?!tidegate-)[A-Za-z0-9_.:/-]{1,63}$',
    description: "1 to 63 letters, digits and _ . : / -; not beginning with tidegate-, which are the relay's own.",
  },
  properties: Object.fromEntries(plainIds.map((name) => [name, text])),
  additionalProperties: text,
  maxProperties: 50,
} as const;

/** null removes a key. */
export const externalIdChanges = {
  ...externalIds,
  properties: Object.fromEntries(plainIds.map((name) => [name, { ...text, type: ['string', 'null'] }])),
  additionalProperties: { ...text, type: ['string', 'null'] },
  minProperties: 1,
} as const;
