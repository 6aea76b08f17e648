-- A claim lasts as long as its process renews it. How often that was not so tells what may still be under way.
ALTER TABLE `owed_work` ADD COLUMN `takeovers` INT NOT NULL DEFAULT 0;
