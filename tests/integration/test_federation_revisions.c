/* The store of the federation configuration: the contract, for each
 * implementation. */
#include "store_contract_federation.h"
#include "store_file.h"

static struct store_factory factories[] = {
	{"sqlite", store_file_make, store_file_drop},
};

int main(void)
{
	int failed = 0;

	for (size_t i = 0; i < FED_ARRAY_LEN(factories); i++)
		failed += store_contract_federation(&factories[i]);
	return failed;
}
