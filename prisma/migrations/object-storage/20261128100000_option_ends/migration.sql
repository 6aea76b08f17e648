-- The end of an option: in which epoch of its ring it ends, and what that waits for, or why it was not deleted.

ALTER TABLE `object_option`
  ADD COLUMN `ending_epoch` INT UNSIGNED NULL AFTER `is_default`,
  ADD COLUMN `end_message` VARCHAR(1000) NULL AFTER `ending_epoch`;
