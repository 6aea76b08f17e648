// What the numbers of FortiOS' configuration database mean for a call. Source: the table of hfortix-fortios;
// terraform-provider-fortios#244 (-5 comes with HTTP 500) and #397 (-56).

/** The device can't say itself whether it was done: time ran out (-360), or the command line in it broke (-361). */
const uncertain: ReadonlySet<number> = new Set([-360, -361]);

const words: ReadonlyMap<number, string> = new Map([
  [-3, 'it, or something that it refers to, is not there'],
  [-4, 'the table is full'],
  [-5, 'an object of that name or number exists already'],
  [-7, 'it conflicts with a setting of the system'],
  [-14, 'the administrator may not do that'],
  [-15, 'the name is taken'],
  [-23, 'it is in use'],
  [-36, 'another virtual IP takes that traffic, or the mapping is not right'],
  [-37, 'the administrator may not do that'],
  [-56, 'a value that must be there is empty'],
  [-100, 'the name is taken'],
  [-163, 'an address group has that name'],
  [-164, 'an address has that name'],
  [-165, 'a virtual IP has that name'],
  [-177, 'the policy can not be moved there'],
  [-178, 'the policy can not be moved there'],
  [-310, 'a virtual IP or a group of them has that name'],
  [-311, 'an address has that name'],
  [-312, 'an address group has that name'],
  [-513, 'a virtual domain of that name exists already'],
  [-514, 'the virtual domain is in use'],
  [-515, 'the name is a reserved word'],
  [-519, 'an interface has that name'],
  [-523, 'the licence allows no further virtual domain'],
  [-560, 'the name is a reserved word'],
  [-650, 'a value is not right'],
  [-651, 'a value is not right'],
]);

const inUse: ReadonlySet<number> = new Set([-23, -94, -95, -96, -97, -98, -99, -147, -176, -514]);
const taken: ReadonlySet<number> = new Set([-5, -15, -100, -163, -164, -165, -310, -311, -312, -513]);

/** The call may have been carried out. */
export function isUncertain(number: number): boolean {
  return uncertain.has(number);
}

export function codeOf(number: number): string {
  if (number === -3) return 'NOT_FOUND';
  if (inUse.has(number)) return 'IN_USE';
  return taken.has(number) ? 'ALREADY_EXISTS' : 'DEVICE_REFUSED';
}

export function meaningOf(number: number): string | undefined {
  return words.get(number) ?? (inUse.has(number) ? 'it is in use' : undefined);
}
