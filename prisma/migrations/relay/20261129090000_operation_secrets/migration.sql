-- The secret arguments of a call that has not ended for good: sealed, with the id of their key before the colon. `arguments` and
-- `wire_call` show them as `***`.
ALTER TABLE `operation`
  ADD COLUMN `secrets` TEXT NULL;
