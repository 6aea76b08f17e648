-- Names of the subjects of status events. prisma/schema/platform.prisma says what each column is.

ALTER TABLE `status_change` ADD COLUMN `subject_name` VARCHAR(255) NULL;
