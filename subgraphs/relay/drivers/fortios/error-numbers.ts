// The meaning of error numbers of FortiOS' configuration database for a call. Source: the table of hfortix-fortios;
// terraform-provider-fortios#244 (-5 comes with HTTP 500) and #397 (-56).

/** The device does not know whether it carried out the call: a timeout (-360), or a failure of its internal command line (-361). */
const uncertain: ReadonlySet<number> = new Set([-360, -361]);

const words: ReadonlyMap<number, string> = new Map([
  [-3, 'the object, or an object that it refers to, does not exist'],
  [-4, 'the table is full'],
  [-5, 'an object with this name or number already exists'],
  [-7, 'it conflicts with a system setting'],
  [-14, 'the administrator lacks the permission'],
  [-15, 'the name is already in use'],
  [-23, 'the object is in use'],
  [-36, 'another virtual IP overlaps with it, or the mapping is not valid'],
  [-37, 'the administrator lacks the permission'],
  [-56, 'a required value is empty'],
  [-100, 'the name is already in use'],
  [-163, 'an address group has this name'],
  [-164, 'an address has this name'],
  [-165, 'a virtual IP has this name'],
  [-177, "the policy can't be moved there"],
  [-178, "the policy can't be moved there"],
  [-310, 'a virtual IP or virtual IP group has this name'],
  [-311, 'an address has this name'],
  [-312, 'an address group has this name'],
  [-513, 'a virtual domain with this name already exists'],
  [-514, 'the virtual domain is in use'],
  [-515, 'the name is a reserved word'],
  [-519, 'an interface has this name'],
  [-523, 'the licence does not allow another virtual domain'],
  [-560, 'the name is a reserved word'],
  [-650, 'a value is not valid'],
  [-651, 'a value is not valid'],
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
  return words.get(number) ?? (inUse.has(number) ? 'the object is in use' : undefined);
}
