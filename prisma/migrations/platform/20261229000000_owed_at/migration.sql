-- When due_at was set. A time in the future shows that the clock was set back since, and that due_at is too late.

ALTER TABLE `owed_work` ADD COLUMN `owed_at` DATETIME(3) NULL AFTER `due_at`;
