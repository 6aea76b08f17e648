// Histories of a database, for tests that have none.

export const testHistory = '0192d5a0-0000-7000-8000-000000000001';
export const otherHistory = '0192d5a0-0000-7000-8000-000000000002';
