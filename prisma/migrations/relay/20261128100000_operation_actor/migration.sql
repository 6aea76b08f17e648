-- Who asked for a call, and by which mutation, as its audit entry has it: a call that a failover lost is audited anew. Not known of
-- calls from before.
ALTER TABLE `operation`
  ADD COLUMN `actor_kind` VARCHAR(16) NULL,
  ADD COLUMN `actor_id` CHAR(36) NULL,
  ADD COLUMN `action` VARCHAR(64) NULL;
