-- When work that is owed again while it runs is due: `due_at` belongs to the run.
ALTER TABLE `owed_work` ADD COLUMN `next_due_at` DATETIME(3) NULL;
