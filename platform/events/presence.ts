// Events of machines that report again, or no longer report.

/** The reason of the event of an absent machine: its name, then why. `heardAt`: its last report. */
export function absenceReason(name: string, heardAt: Date | null, of = ''): string {
  const since = heardAt === null ? '' : ` since ${heardAt.toISOString().slice(11, 16)} UTC`;
  return `${name}: no report${of === '' ? '' : ` of ${of}`}${since}`;
}
