// Prints the header's version and the library's, and shows that C++ can use both.
#include <iostream>
#include <memory>

#include <fpga_associate.h>

int main()
{
    std::unique_ptr<fpga_assoc_config, decltype(&fpga_assoc_config_free)> config(fpga_assoc_config_new(), fpga_assoc_config_free);
    if (fpga_assoc_config_set_max_attempts(config.get(), 2) != FPGA_ASSOC_OK)
        return 1;
    std::cout << FPGA_ASSOC_VERSION << ' ' << FPGA_ASSOC_VERSION_MAJOR << '.' << FPGA_ASSOC_VERSION_MINOR << '.'
              << FPGA_ASSOC_VERSION_PATCH << ' ' << fpga_assoc_version() << '\n';
}
