-- Where a call was sent: only there can be seen what it did. Calls from before are settled by a person.
ALTER TABLE `operation`
  ADD COLUMN `sent_to` VARCHAR(300) NULL,
  ADD COLUMN `sent_options` CHAR(16) NULL;
