-- The relay's operations have a name of their own in the graph. What is stored under the graph's names follows; the audit
-- trail does not, because its entries are sealed as they were written.
UPDATE `status_change` SET `kind` = CONCAT('relayOperation', SUBSTRING(`kind`, CHAR_LENGTH('operation') + 1))
  WHERE `subject_type` = 'Operation' AND `kind` LIKE 'operation.%';
UPDATE `status_change` SET `subject_type` = 'RelayOperation' WHERE `subject_type` = 'Operation';

-- A request that is repeated under its key still finds what became of it.
UPDATE `idempotency_key` SET `operation` = 'relayOperationSettle' WHERE `operation` = 'operationSettle';
UPDATE `idempotency_key` SET `operation` = 'mappingObjectDelete' WHERE `operation` = 'mappedObjectDelete';
